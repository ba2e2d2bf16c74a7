// How a rail looks in a line of text: read back, and what was wanted when that is another thing.
import type { Alert, Device } from '../api/calls';
import { ownerColour } from '../board/colour';
import { t } from '../i18n';
import { alerts, devices, domains } from '../state/store';
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
		<span class="owner">
			<span class="swatch" style={{ '--room': ownerColour(name) }} aria-hidden="true" />
			{name === 'dom0' ? t.board.dom0 : <Link to={`/domains/${name}`}>{name}</Link>}
		</span>
	);
}

const deviceOf = (alert: Alert) => alert.resource.replace(/^devices\//, '');

/** What will happen by itself, and what a person has to do. */
function whatNext(alert: Alert, device: Device | undefined): string | undefined {
	const domain = alert.code === 'device.pulled' && domains.find(device?.power.domain ?? '');
	return domain ? t.board.pulled[domain.on_pull ?? 'report'](domain.name) : undefined;
}

function AlertLine({ alert }: { alert: Alert }) {
	const id = deviceOf(alert);
	const device = devices.find(id);
	const name = device?.name ?? id;
	// The sentence names the device itself, mostly.
	const [before, ...after] = alert.detail.split(name);
	return (
		<li>
			{after.length > 0 && before}
			<Link to={`/board/${id}`}>{name}</Link>
			{after.length > 0 ? after.join(name) : `: ${alert.detail}`} {whatNext(alert, device)}
		</li>
	);
}

/** What is wrong now, of some devices or of all. */
export function BoardAlerts({ of }: { of?: string[] }) {
	const list = (alerts.items.value ?? []).filter((a) => !of || of.includes(deviceOf(a)));
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
