// The build gives an imported style sheet as its text (tools/build.mjs, loader `text`).
declare module '*.css' {
	const text: string;
	export default text;
}
