/**
 * Makes the text of a style sheet hold for the page, as the Content-Security-Policy allows it: with the
 * CSSOM. For the style sheets of chunks that are loaded late.
 */
export function adopt(css: string): void {
	const sheet = new CSSStyleSheet();
	sheet.replaceSync(css);
	document.adoptedStyleSheets.push(sheet);
}
