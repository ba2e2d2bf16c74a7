import type { ComponentChildren, InputHTMLAttributes } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { errorText, otherErrors } from '../i18n/problem';
import { Banner } from './banner';
import { Icon } from './icon';

interface FieldProps {
	label: string;
	hint?: ComponentChildren;
	error?: string;
	optional?: boolean;
}

interface Wiring {
	id: string;
	'aria-invalid'?: 'true';
	'aria-describedby'?: string;
}

function Field({
	label,
	hint,
	error,
	optional,
	children,
}: FieldProps & { children: (wiring: Wiring) => ComponentChildren }) {
	const id = useId();
	const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
	return (
		<div class="field">
			<label for={id}>
				{label} {optional && <span class="optional">({t.common.optional})</span>}
			</label>
			{children({
				id,
				'aria-invalid': error ? 'true' : undefined,
				'aria-describedby': described || undefined,
			})}
			{error && (
				<span class="error" id={`${id}-error`}>
					<Icon name="alert" />
					<span>{error}</span>
				</span>
			)}
			{hint && (
				<span class="hint" id={`${id}-hint`}>
					{hint}
				</span>
			)}
		</div>
	);
}

interface InputProps extends FieldProps {
	value: string;
	onValue: (value: string) => void;
	type?: 'text' | 'password' | 'number';
	mono?: boolean;
	required?: boolean;
	autocomplete?: string;
	autofocus?: boolean;
	min?: number;
	max?: number;
	maxLength?: number;
	rows?: number;
}

export function Input({ value, onValue, mono, rows, type = 'text', ...rest }: InputProps) {
	const { label, hint, error, optional, autofocus, ...input } = rest;
	const self = useRef<HTMLInputElement>(null);
	// The attribute alone counts only while a document loads.
	useEffect(() => {
		if (autofocus) self.current?.focus();
	}, [autofocus]);
	const common = {
		class: mono ? 'input mono' : 'input',
		value,
		spellcheck: false,
		onInput: (e: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) =>
			onValue(e.currentTarget.value),
	};
	return (
		<Field label={label} hint={hint} error={error} optional={optional}>
			{(wiring) =>
				rows ? (
					<textarea {...common} {...wiring} rows={rows} maxLength={rest.maxLength} />
				) : (
					<input
						{...({ ...common, ...input, ...wiring, type } as InputHTMLAttributes)}
						ref={self}
						autocapitalize="none"
					/>
				)
			}
		</Field>
	);
}

interface SelectProps extends FieldProps {
	value: string;
	onValue: (value: string) => void;
	options: Array<{ value: string; text: string }>;
	required?: boolean;
}

export function Select({ value, onValue, options, required, ...field }: SelectProps) {
	return (
		<Field {...field}>
			{(wiring) => (
				<select
					class="input"
					{...wiring}
					value={value}
					required={required}
					onChange={(e) => onValue(e.currentTarget.value)}
				>
					{options.map((o) => (
						<option key={o.value} value={o.value}>
							{o.text}
						</option>
					))}
				</select>
			)}
		</Field>
	);
}

export function Check(props: { label: string; value: boolean; onValue: (value: boolean) => void }) {
	return (
		<label class="check">
			<input
				type="checkbox"
				checked={props.value}
				onChange={(e) => props.onValue(e.currentTarget.checked)}
			/>
			{props.label}
		</label>
	);
}

interface FormProps {
	children: ComponentChildren;
	onSubmit: () => void;
	/** What the appliance said to the last try. */
	error?: unknown;
	/** Whether a problem's pointer is shown beside a field of this form. */
	shows?: (pointer: string) => boolean;
	label: string;
}

/** Shows a failure above its fields and takes the focus to the first one that is wrong. */
export function Form({ children, onSubmit, error, shows = () => true, label }: FormProps) {
	const form = useRef<HTMLFormElement>(null);
	useEffect(() => {
		if (error === undefined) return;
		const find = (what: string) => form.current?.querySelector<HTMLElement>(what);
		(find('[aria-invalid=true]') ?? find('[role=alert]'))?.focus();
	}, [error]);
	const others = otherErrors(error, shows);
	return (
		<form
			ref={form}
			class="form"
			noValidate
			aria-label={label}
			onSubmit={(e) => {
				e.preventDefault();
				onSubmit();
			}}
		>
			{error !== undefined && (
				<Banner kind="bad" focusable>
					{errorText(error)}
					{others.map((text) => (
						<div class="small" key={text}>
							{text}
						</div>
					))}
				</Banner>
			)}
			{children}
		</form>
	);
}
