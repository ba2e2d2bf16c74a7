import { signal } from '@preact/signals';
import type { DomainState, OperationState } from '../api/calls';
import { absolute, relative, t } from '../i18n';

const domainLook: Record<DomainState, string> = {
	stopped: 'off',
	starting: 'busy',
	running: 'good',
	paused: 'wait',
	stopping: 'busy',
	crashed: 'bad',
};

export function StateBadge({ state }: { state: DomainState }) {
	return <span class={`badge ${domainLook[state]}`}>{t.states[state]}</span>;
}

const operationLook: Record<OperationState, string> = {
	pending: 'busy',
	running: 'busy',
	cancelling: 'busy',
	succeeded: 'good',
	failed: 'bad',
	cancelled: 'off',
	interrupted: 'wait',
};

export function OperationBadge({ state }: { state: OperationState }) {
	return <span class={`badge ${operationLook[state]}`}>{t.operations.states[state]}</span>;
}

interface ProgressProps {
	label: string;
	done: number;
	/** null while nobody knows. */
	total: number | null;
}

export function Progress({ label, done, total }: ProgressProps) {
	const known = total !== null && total > 0;
	const share = known ? Math.min(100, (100 * done) / total) : undefined;
	return (
		<span
			class={known ? 'progress' : 'progress unknown'}
			role="progressbar"
			aria-label={label}
			aria-valuemin={0}
			aria-valuemax={100}
			aria-valuenow={share === undefined ? undefined : Math.floor(share)}
		>
			<span style={share === undefined ? undefined : { width: `${share}%` }} />
		</span>
	);
}

/** The present, for "5 minutes ago"; moves twice a minute. */
const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 30_000);

export function Time({ iso }: { iso: string }) {
	// An event that came after the last tick is not in the future.
	const at = Math.max(now.value, Math.min(Date.parse(iso), Date.now()));
	return (
		<time dateTime={iso} title={absolute(iso)}>
			{relative(iso, at)}
		</time>
	);
}
