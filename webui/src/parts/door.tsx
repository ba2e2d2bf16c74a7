import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n';
import { Mark } from './icon';

/** What stands before the dashboard: claiming, logging in, waiting. */
export function DoorPage({ title, children }: { title?: string; children: ComponentChildren }) {
	useEffect(() => {
		document.title = title ? `${title} · ${t.product}` : t.product;
	}, [title]);
	return (
		<main class="door">
			<div class="door-card">
				<div class="brand">
					<Mark />
					{t.product}
				</div>
				<div class="card">
					{title && <h1>{title}</h1>}
					{children}
				</div>
			</div>
		</main>
	);
}
