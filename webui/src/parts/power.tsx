// How a rail looks in a line of text: read back, and what was wanted when that is another thing.
import type { Alert, Device } from '../api/calls';
import { ownerColour } from '../board/colour';
import { t } from '../i18n';
import { alerts, devices } from '../state/store';
import { Banner } from './banner';
import { Link } from './button';

const look = { on: 'good', off: 'off', fault: 'bad', unknown: 'wait' } as const;

export function PowerBadge({ power }: { power: Device['power']['actual'] }) {
	return <span class={`badge ${look[power]}`}>{t.board.power[power]}</span>;
}

/** Read back, and what it should be where it is not. */
export function Power({ device: { power } }: { device: Device }) {
	const differs = power.wanted !== null && power.wanted !== power.actual;
	return (
		<>
			<PowerBadge power={power.actual} />
			{differs && power.wanted && (
				<span class="muted small nowrap"> {t.board.wanted[power.wanted]}</span>
			)}
		</>
	);
}

export function Owner({ name }: { name: string | null }) {
	if (name === null) return <span class="muted">{t.board.nobody}</span>;
	return (
		<span class="nowrap">
			<span class="swatch" style={{ '--room': ownerColour(name) }} aria-hidden="true" />
			{name === 'dom0' ? t.board.dom0 : <Link to={`/domains/${name}`}>{name}</Link>}
		</span>
	);
}

function AlertLine({ alert }: { alert: Alert }) {
	const id = alert.resource.replace(/^devices\//, '');
	return (
		<li>
			<Link to={`/board/${id}`}>{devices.find(id)?.name ?? id}</Link>: {alert.detail}
		</li>
	);
}

/** What is wrong now, of one device or of all. */
export function BoardAlerts({ of }: { of?: string }) {
	const list = (alerts.items.value ?? []).filter(
		(a) => of === undefined || a.resource === `devices/${of}`,
	);
	if (list.length === 0) return null;
	return (
		<Banner kind="bad">
			<strong>{t.board.alertsTitle}</strong>
			<ul>
				{list.map((alert) => (
					<AlertLine key={alert.id} alert={alert} />
				))}
			</ul>
		</Banner>
	);
}
