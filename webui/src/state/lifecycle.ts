// Starting, stopping and so on of a domain, the same wherever its buttons stand.
import { effect } from '@preact/signals';
import { call, type DomainState, type Operation } from '../api/calls';
import { t } from '../i18n';
import { confirm } from '../parts/dialog';
import { domains, isRunning, operations } from './store';
import { attempt } from './task';
import { toast } from './toast';

export type Action = 'start' | 'shutdown' | 'reboot' | 'kill' | 'pause' | 'resume';

const calls = {
	start: 'startDomain',
	shutdown: 'shutdownDomain',
	reboot: 'rebootDomain',
	kill: 'killDomain',
	pause: 'pauseDomain',
	resume: 'resumeDomain',
} as const;

/** What makes sense in a state, the likeliest first. */
export const sensible: Record<DomainState, Action[]> = {
	stopped: ['start'],
	crashed: ['start'],
	starting: ['kill'],
	running: ['shutdown', 'reboot', 'pause', 'kill'],
	paused: ['resume', 'kill'],
	stopping: ['kill'],
};

function isOperation(answer: object): answer is Operation {
	return 'kind' in answer;
}

/** Begins the action, after asking where it interrupts somebody; how it ends is an event. */
export async function act(name: string, action: Action): Promise<void> {
	if (action === 'shutdown' || action === 'reboot' || action === 'kill') {
		const yes = await confirm({
			title: t.actions.confirm[action](name),
			text: t.actions.confirmText[action],
			yes: t.actions[action],
			danger: action === 'kill',
		});
		if (!yes) return;
	}
	await attempt(async () => {
		const answer = await call(calls[action], { path: { name }, body: {} });
		if (isOperation(answer)) {
			begun.set(answer.id, t.actions.of(t.actions[action], name));
			operations.put(answer);
		} else {
			domains.put(answer);
			toast('info', t.actions.already(name, t.states[answer.status.state]));
		}
	});
}

/** What was begun here and has not ended: its failure must not pass unseen. */
const begun = new Map<string, string>();

effect(() => {
	for (const o of operations.items.value ?? []) {
		const what = begun.get(o.id);
		if (what === undefined || isRunning(o)) continue;
		begun.delete(o.id);
		if (o.state === 'failed')
			toast('error', t.operations.failed(what, o.error?.detail ?? t.operations.states.failed));
	}
});
