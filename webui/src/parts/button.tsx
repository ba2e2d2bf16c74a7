import type { ComponentChildren } from 'preact';
import { navigate } from '../state/route';
import { Icon, type IconName } from './icon';

interface Look {
	children?: ComponentChildren;
	icon?: IconName;
	variant?: 'plain' | 'primary' | 'danger' | 'danger solid' | 'quiet';
	small?: boolean;
	/** What it does, where the visible text does not say it (icon only, or one of many in a table). */
	label?: string;
}

function classes({ variant = 'plain', small, children }: Look): string {
	return `button ${variant}${small ? ' small' : ''}${children ? '' : ' square'}`;
}

interface ButtonProps extends Look {
	onClick?: () => void;
	submit?: boolean;
	/** Cannot be pressed now; it keeps the focus, unlike a disabled button. */
	busy?: boolean;
	pressed?: boolean;
	autofocus?: boolean;
}

export function Button(props: ButtonProps) {
	const { children, icon, label, onClick, submit, busy, pressed, autofocus } = props;
	return (
		<button
			type={submit ? 'submit' : 'button'}
			class={classes(props)}
			aria-label={label}
			title={children ? undefined : label}
			aria-disabled={busy ? 'true' : undefined}
			aria-pressed={pressed}
			autofocus={autofocus}
			onClick={(e) => {
				if (busy) e.preventDefault();
				else onClick?.();
			}}
		>
			{icon && <Icon name={icon} />}
			{children}
		</button>
	);
}

interface LinkProps {
	to: string;
	children?: ComponentChildren;
	class?: string;
	current?: boolean;
	label?: string;
}

/** A link to another page of the dashboard. Opening it in a new tab works as with every link. */
export function Link({ to, children, class: className, current, label }: LinkProps) {
	return (
		<a
			href={to}
			class={className}
			aria-current={current ? 'page' : undefined}
			aria-label={label}
			onClick={(e) => {
				if (
					e.defaultPrevented ||
					e.button !== 0 ||
					e.ctrlKey ||
					e.metaKey ||
					e.shiftKey ||
					e.altKey
				)
					return;
				e.preventDefault();
				navigate(to);
			}}
		>
			{children}
		</a>
	);
}

export function LinkButton({ to, ...look }: Look & { to: string }) {
	return (
		<Link to={to} class={classes(look)} label={look.label}>
			{look.icon && <Icon name={look.icon} />}
			{look.children}
		</Link>
	);
}
