import type { Domain } from '../api/calls';
import { t } from '../i18n';
import { act, type Action, sensible } from '../state/lifecycle';
import { Button } from './button';
import type { IconName } from './icon';

const icons: Record<Action, IconName> = {
	start: 'play',
	shutdown: 'power',
	reboot: 'reboot',
	kill: 'bolt',
	pause: 'pause',
	resume: 'play',
};

/** The buttons that make sense in the domain's state; in a table only the likeliest. */
export function DomainActions({ domain, small }: { domain: Domain; small?: boolean }) {
	const all = sensible[domain.status.state];
	const shown = small ? all.slice(0, 1) : all;
	return (
		<>
			{shown.map((action, i) => (
				<Button
					key={action}
					small={small}
					icon={icons[action]}
					variant={
						action === 'kill'
							? 'danger'
							: action === 'start' && i === 0 && !small
								? 'primary'
								: 'plain'
					}
					label={small ? t.actions.of(t.actions[action], domain.name) : undefined}
					onClick={() => void act(domain.name, action)}
				>
					{t.actions[action]}
				</Button>
			))}
		</>
	);
}
