import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n';
import { Link } from './button';
import { Icon, type IconName } from './icon';

interface PageProps {
	title: string;
	/** Beside the title: a badge. */
	mark?: ComponentChildren;
	text?: ComponentChildren;
	actions?: ComponentChildren;
	back?: { to: string; text: string };
	children: ComponentChildren;
}

export function Page({ title, mark, text, actions, back, children }: PageProps) {
	useEffect(() => {
		document.title = `${title} · ${t.product}`;
	}, [title]);
	return (
		<div class="page">
			{back && (
				<Link class="crumb" to={back.to}>
					<Icon name="back" />
					{back.text}
				</Link>
			)}
			<div class="page-head">
				<h1>{title}</h1>
				{mark}
				{actions && <div class="actions">{actions}</div>}
				{text && <p>{text}</p>}
			</div>
			{children}
		</div>
	);
}

interface CardProps {
	title?: string;
	aside?: ComponentChildren;
	children: ComponentChildren;
	class?: string;
}

export function Card({ title, aside, children, class: more = '' }: CardProps) {
	return (
		<section class={`card ${more}`} aria-label={title}>
			{title && (
				<div class="card-head">
					<h2>{title}</h2>
					{aside}
				</div>
			)}
			{children}
		</section>
	);
}

interface EmptyProps {
	icon: IconName;
	title: string;
	text: string;
	children?: ComponentChildren;
}

/** Nothing here yet: what it would be, and the next step to it. */
export function Empty({ icon, title, text, children }: EmptyProps) {
	return (
		<div class="card empty">
			<Icon name={icon} />
			<h2>{title}</h2>
			<p>{text}</p>
			{children && <div class="actions">{children}</div>}
		</div>
	);
}

export function Loading() {
	return (
		<div class="card empty" role="status">
			<p>{t.common.loading}…</p>
		</div>
	);
}

/** Label and value pairs. */
export function Facts({ of }: { of: Array<[label: string, value: ComponentChildren]> }) {
	return (
		<dl class="facts">
			{of.map(([label, value]) => [
				<dt key={label}>{label}</dt>,
				<dd key={`${label}=`}>{value}</dd>,
			])}
		</dl>
	);
}
