// <domus-style>: what xterm uses in place of <style>. The Content-Security-Policy refuses style
// elements that have no nonce, but a style sheet made with the CSSOM is not inline style. The build
// puts the name into xterm (tools/build.mjs).

class DomusStyle extends HTMLElement {
	private readonly rules = new CSSStyleSheet();

	override get textContent(): string {
		return '';
	}

	override set textContent(css: string) {
		this.rules.replaceSync(css);
	}

	connectedCallback(): void {
		document.adoptedStyleSheets.push(this.rules);
	}

	disconnectedCallback(): void {
		const others = document.adoptedStyleSheets.filter((s) => s !== this.rules);
		document.adoptedStyleSheets = others;
	}
}

if (!customElements.get('domus-style')) customElements.define('domus-style', DomusStyle);
