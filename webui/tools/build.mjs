#!/usr/bin/env node
// Bundles src/ into static files: index.html, assets/NAME-HASH.{js,css,svg}, and a .gz beside each.
//   tools/build.mjs OUT
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const out = process.argv[2];
if (!out) throw new Error('usage: tools/build.mjs OUT');
const root = new URL('..', import.meta.url).pathname;

// xterm makes <style> elements and style attributes, which `style-src 'self'` forbids. We make it use
// our <domus-style> element (src/console/style-element.ts) and the CSSOM, which the policy allows.
// A count that differs means a new xterm: read its source again before changing the numbers.
const XTERM_EDITS = [
	[/\.createElement\("style"\)/g, '.createElement("domus-style")', 3],
	[
		/(\w+)\.setAttribute\("style",`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{(\w+)\};`\)/g,
		'$1.style.cssText+=$2+";"',
		1,
	],
];
const xtermForStrictCsp = {
	name: 'xterm-for-strict-csp',
	setup(b) {
		b.onLoad({ filter: /@xterm\/xterm\/lib\/xterm\.mjs$/ }, ({ path }) => {
			let contents = readFileSync(path, 'utf8');
			for (const [pattern, replacement, expected] of XTERM_EDITS) {
				const found = contents.match(pattern)?.length ?? 0;
				if (found !== expected)
					throw new Error(`xterm: ${found} places match ${pattern}, expected ${expected}`);
				contents = contents.replace(pattern, replacement);
			}
			return { contents, loader: 'js' };
		});
	},
};

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, 'assets'), { recursive: true });
const common = {
	absWorkingDir: root,
	bundle: true,
	minify: true,
	target: 'es2022',
	legalComments: 'none',
	metafile: true,
	outdir: out,
	entryNames: 'assets/[name]-[hash]',
	assetNames: 'assets/[name]-[hash]',
	chunkNames: 'assets/[name]-[hash]',
	logLevel: 'warning',
};
const app = await build({
	...common,
	entryPoints: ['src/main.tsx'],
	format: 'esm',
	splitting: true,
	jsx: 'automatic',
	jsxImportSource: 'preact',
	loader: { '.css': 'text' },
	plugins: [xtermForStrictCsp],
});
const page = await build({
	...common,
	entryPoints: ['src/theme.ts', 'src/style.css', 'src/favicon.svg'],
	format: 'iife',
	loader: { '.svg': 'copy' },
});

const asset = {};
for (const { outputs } of [app.metafile, page.metafile].map((m) => ({ outputs: m.outputs })))
	for (const [path, { entryPoint }] of Object.entries(outputs))
		if (entryPoint) asset[basename(entryPoint)] = `/assets/${basename(path)}`;

const html = readFileSync(join(root, 'src/index.html'), 'utf8').replace(
	/\{\{([\w.]+)\}\}/g,
	(_, name) => {
		if (!asset[name]) throw new Error(`src/index.html names ${name}, which was not built`);
		return asset[name];
	},
);
writeFileSync(join(out, 'index.html'), html);

const files = ['index.html', ...readdirSync(join(out, 'assets')).map((f) => `assets/${f}`)];
execFileSync('gzip', ['-9', '-n', '-k', ...files], { cwd: out });
