// The browser's own modal dialog: it keeps the focus inside, closes with Escape, and gives the focus back.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { Button } from './button';

interface DialogProps {
	title: string;
	onClose: () => void;
	children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps) {
	const ref = useRef<HTMLDialogElement>(null);
	const id = useId();
	useLayoutEffect(() => {
		const opener = document.activeElement;
		const dialog = ref.current;
		dialog?.showModal();
		return () => {
			dialog?.close();
			// The browser does this only for a dialog that is still in the document.
			if (opener instanceof HTMLElement) opener.focus();
		};
	}, []);
	return (
		<dialog
			ref={ref}
			aria-labelledby={id}
			onCancel={(e) => {
				e.preventDefault();
				onClose();
			}}
		>
			<div class="dialog">
				<h2 id={id}>{title}</h2>
				{children}
			</div>
		</dialog>
	);
}

interface Question {
	title: string;
	text: string;
	yes: string;
	no?: string;
	danger?: boolean;
}

const asked = signal<(Question & { answer: (yes: boolean) => void }) | undefined>(undefined);

/** Asks a person; true for yes. */
export function confirm(question: Question): Promise<boolean> {
	return new Promise((resolve) => {
		asked.value?.answer(false);
		asked.value = {
			...question,
			answer: (yes) => {
				asked.value = undefined;
				resolve(yes);
			},
		};
	});
}

/** Where confirm() shows its question. */
export function Confirmation() {
	const q = asked.value;
	if (!q) return null;
	return (
		<Dialog title={q.title} onClose={() => q.answer(false)}>
			<p>{q.text}</p>
			<div class="actions">
				<Button onClick={() => q.answer(false)}>{q.no ?? t.common.cancel}</Button>
				<Button variant={q.danger ? 'danger solid' : 'primary'} onClick={() => q.answer(true)}>
					{q.yes}
				</Button>
			</div>
		</Dialog>
	);
}
