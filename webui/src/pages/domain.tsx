import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { call, type Domain } from '../api/calls';
import { contentsText, hasContents, pullable } from '../board/words';
import { ConsoleView } from '../console/view';
import { mib, t } from '../i18n';
import { DomainActions } from '../parts/actions';
import { LoadError } from '../parts/banner';
import { Button, Link, LinkButton } from '../parts/button';
import { confirm } from '../parts/dialog';
import { Card, Empty, Facts, Loading, Page } from '../parts/page';
import { BoardAlerts, PowerBadge } from '../parts/power';
import { StateBadge, Time } from '../parts/status';
import { navigate } from '../state/route';
import { devices, domains, images, networks, volumes } from '../state/store';
import { attempt } from '../state/task';
import { toast } from '../state/toast';

const imageName = (id: string) =>
	images.find(id)?.name ?? (images.items.value ? t.domain.missing(id) : id);
const volumeName = (id: string) =>
	volumes.find(id)?.name ?? (volumes.items.value ? t.domain.missing(id) : id);
const networkName = (id: string) => networks.find(id)?.name ?? id;

/** A device by its name, with the way to it. */
function DeviceLink({ id = '' }: { id?: string }) {
	return <Link to={`/board/${id}`}>{devices.find(id)?.name ?? id}</Link>;
}

function DeviceLine({ id }: { id: string }) {
	const device = devices.find(id);
	return (
		<>
			<DeviceLink id={id} />{' '}
			{device && hasContents(device) && <span class="muted small">{contentsText(device)} </span>}
			{device && <PowerBadge power={device.power.actual} />}
		</>
	);
}

function List({ items, none }: { items: ComponentChildren[]; none: ComponentChildren }) {
	if (items.length === 0) return <p class="muted">{none}</p>;
	return (
		<ul class="stack">
			{items.map((item, i) => (
				<li key={i}>{item}</li>
			))}
		</ul>
	);
}

function Definition({ domain: d }: { domain: Domain }) {
	const behaviour: Array<[string, string]> = [
		[t.domain.restart, t.domain.restartPolicy[d.restart.policy ?? 'never']],
		[t.domain.autostart, d.autostart.enabled ? t.domain.autostartOn : t.domain.autostartOff],
	];
	if (d.devices.some(pullable))
		behaviour.splice(1, 0, [t.domain.onPull, t.domain.onPullPolicy[d.on_pull ?? 'report']]);
	return (
		<div class="grid">
			<Card title={t.domain.boot}>
				<Facts
					of={[
						[t.domain.kernel, imageName(d.boot.kernel)],
						[t.domain.initrd, d.boot.initrd ? imageName(d.boot.initrd) : t.common.none],
						[t.domain.cmdline, d.boot.cmdline ? <code>{d.boot.cmdline}</code> : t.common.none],
					]}
				/>
			</Card>
			<Card title={t.domain.resources}>
				<Facts
					of={[
						[t.domain.vcpus, d.vcpus],
						[t.domain.memory, mib(d.memory_mib)],
						[t.domain.weight, d.cpu.weight],
						[t.domain.cap, d.cpu.cap ? t.domain.capText(d.cpu.cap) : t.domain.noCap],
					]}
				/>
			</Card>
			<Card title={t.domain.disks}>
				<List
					none={t.domain.noDisks}
					items={d.disks.map((disk) => (
						<>
							<code>{disk.name}</code>{' '}
							{disk.source.volume ? (
								volumeName(disk.source.volume)
							) : (
								<DeviceLink id={disk.source.device} />
							)}{' '}
							{disk.readonly && <span class="badge plain">{t.domain.readonly}</span>}
						</>
					))}
				/>
			</Card>
			<Card title={t.domain.nics}>
				<List
					none={t.domain.noNics}
					items={d.nics.map((nic) => (
						<>
							{nic.network ? networkName(nic.network) : <DeviceLink id={nic.device} />}{' '}
							<code class="muted">{nic.mac}</code>
						</>
					))}
				/>
			</Card>
			<Card title={t.domain.devices}>
				<List
					none={
						<>
							{t.domain.noDevices} <Link to="/board">{t.domain.toBoard}</Link>
						</>
					}
					items={d.devices.map((id) => (
						<DeviceLine key={id} id={id} />
					))}
				/>
			</Card>
			<Card title={t.domain.behaviour}>
				<Facts of={behaviour} />
			</Card>
		</div>
	);
}

async function remove(domain: Domain): Promise<void> {
	const yes = await confirm({
		title: t.domain.deleteTitle(domain.name),
		text: t.domain.deleteText,
		yes: t.common.delete,
		danger: true,
	});
	if (!yes) return;
	await attempt(async () => {
		const { name, revision } = domain;
		await call('deleteDomain', { path: { name }, revision });
		domains.drop(name);
		toast('success', t.domain.deleted(name));
		navigate('/domains', true);
	});
}

export function DomainPage({ name, console }: { name: string; console: boolean }) {
	useEffect(() => {
		for (const c of [domains, images, volumes, networks, devices]) c.want();
	}, []);
	const items = domains.items.value;
	const domain = domains.find(name);
	const back = { to: '/domains', text: t.domain.back };
	if (!domain) {
		const error = domains.error.value;
		return (
			<Page title={name} back={back}>
				{error ? (
					<LoadError error={error} retry={() => void domains.reload()} />
				) : items ? (
					<Empty icon="house" title={t.common.unknownPage} text={t.common.unknownPageText} />
				) : (
					<Loading />
				)}
			</Page>
		);
	}
	const { state, since, domid, reason } = domain.status;
	const gone = state === 'stopped' || state === 'crashed';
	return (
		<Page
			title={name}
			back={back}
			mark={<StateBadge state={state} />}
			text={
				<>
					{domain.description && <span>{domain.description} · </span>}
					{t.domain.changed} <Time iso={since} />
					{domid !== null && (
						<>
							{' '}
							· <span class="nowrap">{t.domain.domid(domid)}</span>
						</>
					)}
					{reason && <> · {reason}</>}
				</>
			}
			actions={<DomainActions domain={domain} />}
		>
			<div class="tab-row">
				<nav class="tabs" aria-label={t.domain.tabs}>
					<Link to={`/domains/${name}`} current={!console}>
						{t.domain.overview}
					</Link>
					<Link to={`/domains/${name}/console`} current={console}>
						{t.domain.console}
					</Link>
				</nav>
				{!console && (
					<div class="actions">
						<LinkButton small icon="edit" to={`/domains/${name}/edit`}>
							{t.domain.edit}
						</LinkButton>
						{gone && (
							<Button small icon="trash" variant="danger" onClick={() => void remove(domain)}>
								{t.domain.delete}
							</Button>
						)}
					</div>
				)}
			</div>
			<BoardAlerts of={domain.devices} />
			{console ? <ConsoleView name={name} /> : <Definition domain={domain} />}
		</Page>
	);
}
