// Light or dark: the system's choice unless a person made one here, which stays in this browser.
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'domus.theme';

function stored(): Theme {
	try {
		const value = localStorage.getItem(KEY);
		return value === 'light' || value === 'dark' ? value : 'system';
	} catch {
		return 'system';
	}
}

export const theme = signal<Theme>(stored());

effect(() => {
	const root = document.documentElement;
	if (theme.value === 'system') delete root.dataset.theme;
	else root.dataset.theme = theme.value;
	try {
		if (theme.value === 'system') localStorage.removeItem(KEY);
		else localStorage.setItem(KEY, theme.value);
	} catch {
		// Not kept then; it still holds for this page.
	}
});

/** What is shown now, for what CSS cannot colour (terminal, charts). */
export function isDark(): boolean {
	if (theme.value !== 'system') return theme.value === 'dark';
	return matchMedia('(prefers-color-scheme: dark)').matches;
}
