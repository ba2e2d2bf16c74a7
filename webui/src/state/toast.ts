// Short messages about what just happened. Errors stay until they are closed.
import { signal } from '@preact/signals';

export interface Toast {
	id: number;
	kind: 'success' | 'error' | 'info';
	text: string;
}

const SHOWN_MS = 6000;
let next = 1;
export const toasts = signal<Toast[]>([]);

export function dismiss(id: number): void {
	toasts.value = toasts.value.filter((t) => t.id !== id);
}

export function toast(kind: Toast['kind'], text: string): void {
	const id = next++;
	const others = toasts.value.filter((t) => t.text !== text);
	toasts.value = [...others.slice(-3), { id, kind, text }];
	if (kind !== 'error') setTimeout(() => dismiss(id), SHOWN_MS);
}
