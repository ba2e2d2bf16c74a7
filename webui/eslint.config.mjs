import js from '@eslint/js';
import ts from 'typescript-eslint';

// Run from the top of the tree, because tests/browser is looked at too (see webui.mk).
// Only src/api may talk to the server: everything else goes through it.
const network = ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource'].map((name) => ({
	name,
	message: 'only src/api talks to the server',
}));

const strictTypes = ts.configs.strict.map((c) => ({ ...c, files: ['webui/src/**/*.{ts,tsx}'] }));

export default [
	js.configs.recommended,
	...strictTypes,
	{
		files: ['webui/src/**/*.{ts,tsx}'],
		rules: {
			'no-restricted-globals': ['error', ...network],
			'no-console': 'error',
			eqeqeq: 'error',
			'@typescript-eslint/no-non-null-assertion': 'error',
		},
	},
	{ files: ['webui/src/api/**'], rules: { 'no-restricted-globals': 'off' } },
	{
		files: ['webui/*.mjs', 'webui/tools/*.mjs'],
		languageOptions: {
			globals: { process: 'readonly', console: 'readonly', Buffer: 'readonly', URL: 'readonly' },
		},
	},
	{
		// Browser tests: Node.js globals, and those of the page inside page.evaluate().
		files: ['tests/browser/**/*.mjs'],
		languageOptions: {
			globals: Object.fromEntries(
				[
					...[
						'process',
						'console',
						'Buffer',
						'URL',
						'setTimeout',
						'clearTimeout',
						'fetch',
						'performance',
					],
					...[
						'window',
						'document',
						'location',
						'localStorage',
						'navigator',
						'getComputedStyle',
						'DataTransfer',
						'ClipboardEvent',
						'axe',
					],
				].map((name) => [name, 'readonly']),
			),
		},
	},
];
