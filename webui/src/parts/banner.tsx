import type { ComponentChildren } from 'preact';
import { dismiss, toasts } from '../state/toast';
import { t } from '../i18n';
import { errorText } from '../i18n/problem';
import { Button } from './button';
import { Icon } from './icon';

interface BannerProps {
	kind: 'info' | 'bad' | 'wait' | 'good';
	children: ComponentChildren;
	focusable?: boolean;
	class?: string;
}

export function Banner({ kind, children, focusable, class: more = '' }: BannerProps) {
	return (
		<div
			class={`banner ${kind} ${more}`}
			role={kind === 'bad' ? 'alert' : 'status'}
			tabIndex={focusable ? -1 : undefined}
		>
			<Icon
				name={kind === 'bad' || kind === 'wait' ? 'alert' : kind === 'good' ? 'check' : 'info'}
			/>
			<div>{children}</div>
		</div>
	);
}

/** A list could not be read: say why, and offer to try again. */
export function LoadError({ error, retry }: { error: unknown; retry: () => void }) {
	return (
		<Banner kind="bad">
			{errorText(error)}
			<div class="actions">
				<Button small icon="reboot" onClick={retry}>
					{t.common.retry}
				</Button>
			</div>
		</Banner>
	);
}

export function Toasts() {
	return (
		<div class="toasts" role="log" aria-live="polite">
			{toasts.value.map(({ id, kind, text }) => (
				<div key={id} class={`banner ${{ success: 'good', error: 'bad', info: 'info' }[kind]}`}>
					<Icon name={kind === 'error' ? 'alert' : kind === 'success' ? 'check' : 'info'} />
					<div>{text}</div>
					<Button
						variant="quiet"
						small
						icon="close"
						label={t.common.close}
						onClick={() => dismiss(id)}
					/>
				</div>
			))}
		</div>
	);
}
