import { useEffect } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { Event } from '../api/calls';
import { House } from '../board/house';
import { MemoryChart } from '../board/memory-chart';
import { bytes, duration, t } from '../i18n';
import { Banner, LoadError } from '../parts/banner';
import { LinkButton } from '../parts/button';
import { Icon } from '../parts/icon';
import { Card, Loading, Page } from '../parts/page';
import { BoardAlerts } from '../parts/power';
import { StateBadge, Time } from '../parts/status';
import {
	devices,
	domains,
	images,
	journal,
	readSystem,
	system,
	systemError,
	volumes,
} from '../state/store';

const SAMPLE_MS = 5000;
const JOURNAL_LINES = 10;

/** The newcomer's way: it disappears once a domain has been started. */
function FirstSteps() {
	const list = images.items.value;
	const all = domains.items.value;
	if (!list || !all) return null;
	const kernel = list.some((i) => i.kind === 'kernel');
	const first = all[0];
	const steps: Array<[title: string, text: string, done: boolean, button: ComponentChildren]> = [
		[
			t.start.kernel,
			t.start.kernelText,
			kernel,
			<LinkButton to="/images" variant="primary" icon="upload">
				{t.start.kernelButton}
			</LinkButton>,
		],
		[
			t.start.define,
			t.start.defineText,
			all.length > 0,
			<LinkButton to="/new-domain" variant="primary" icon="plus">
				{t.start.defineButton}
			</LinkButton>,
		],
		[
			t.start.run,
			t.start.runText,
			all.some((d) => d.status.state !== 'stopped'),
			<LinkButton to={`/domains/${first?.name ?? ''}/console`} variant="primary" icon="terminal">
				{t.start.runButton}
			</LinkButton>,
		],
	];
	const now = steps.findIndex(([, , done]) => !done);
	if (now < 0 || journal.value.some((e) => e.type === 'domain.state')) return null;
	return (
		<Card title={t.start.title} aside={<span class="muted small">{t.start.text}</span>}>
			<ol class="steps">
				{steps.map(([title, text, done, button], i) => (
					<li key={title} data-done={done} data-now={i === now}>
						<span class="mark" aria-hidden="true">
							{done ? <Icon name="check" /> : i + 1}
						</span>
						<div class="stack">
							<div>
								<h3>
									{title}
									{done && <span class="visually-hidden"> ({t.start.done})</span>}
								</h3>
								<p class="muted">{text}</p>
							</div>
							{i === now && <div>{button}</div>}
						</div>
					</li>
				))}
			</ol>
		</Card>
	);
}

function eventLine(e: Event, more: number): string | undefined {
	const [kind = '', key = ''] = (e.resource ?? '').split('/');
	const found =
		kind === 'images'
			? images.find(key)
			: kind === 'volumes'
				? volumes.find(key)
				: kind === 'devices'
					? devices.find(key)
					: undefined;
	const data = e.data ?? {};
	const named = typeof data.name === 'string' ? data.name : (found?.name ?? key);
	const became = String(data.state ?? data.power);
	const state = t.became[became as keyof typeof t.became] ?? became;
	const detail = String(data.detail ?? '');
	// A change of holder alone is not worth a line, nor is what a device was when it was first seen.
	const same = data.previous === data.power || data.cause === 'boot';
	if (e.type === 'device.power' && same) return undefined;
	return t.events[e.type]?.({ actor: e.actor, name: named, state, detail, more });
}

/** The newest first, with a line for each; devices that came together have one. */
function journalLines(events: Event[]): Array<{ e: Event; text: string }> {
	const lines: Array<{ e: Event; more: number }> = [];
	for (const e of events) {
		if (eventLine(e, 0) === undefined) continue;
		const last = lines.at(-1);
		if (e.type === 'device.added' && last?.e.type === e.type) last.more++;
		else lines.push({ e, more: 0 });
	}
	return lines
		.slice(0, JOURNAL_LINES)
		.map(({ e, more }) => ({ e, text: eventLine(e, more) ?? '' }));
}

function Journal() {
	const lines = journalLines(journal.value);
	return (
		<Card title={t.overview.recent}>
			{lines.length === 0 && <p class="muted">{t.overview.recentEmpty}</p>}
			<ul class="feed">
				{lines.map(({ e, text }) => (
					<li key={e.seq}>
						<span>{text}</span>
						<span class="muted small nowrap">
							<Time iso={e.time} />
						</span>
					</li>
				))}
			</ul>
		</Card>
	);
}

function Stat({ label, value, note }: { label: string; value: string; note?: string }) {
	return (
		<div class="stat">
			<dt>{label}</dt>
			<dd>
				{value}
				{note && <small>{note}</small>}
			</dd>
		</div>
	);
}

function ByState() {
	const all = domains.items.value ?? [];
	const states = ['running', 'starting', 'paused', 'stopping', 'crashed', 'stopped'] as const;
	const counts = states
		.map((state) => ({ state, n: all.filter((d) => d.status.state === state).length }))
		.filter((c) => c.n > 0);
	if (counts.length === 0) return null;
	return (
		<div class="actions" role="group" aria-label={t.overview.byState}>
			{counts.map(({ state, n }) => (
				<span key={state} class="num">
					{n} <StateBadge state={state} />
				</span>
			))}
		</div>
	);
}

export function Overview() {
	useEffect(() => {
		for (const c of [domains, images, volumes, devices]) c.want();
		void readSystem();
		const timer = setInterval(() => {
			if (!document.hidden) void readSystem();
		}, SAMPLE_MS);
		return () => clearInterval(timer);
	}, []);
	const s = system.value;
	const error = systemError.value;
	const all = domains.items.value ?? [];
	const up = all.filter((d) => d.status.state === 'running').length;
	const online = s?.cpus.filter((c) => c.online).length ?? 0;
	return (
		<Page title={t.overview.title} mark={<ByState />}>
			{error && !s && <LoadError error={error} retry={() => void readSystem()} />}
			{!s && !error && <Loading />}
			<FirstSteps />
			{s && (
				<>
					<BoardAlerts />
					{s.warnings.map((text) => (
						<Banner key={text} kind="wait">
							{text}
						</Banner>
					))}
					<dl class="card stats">
						<Stat
							label={t.overview.hypervisor}
							value={`${s.hypervisor.name} ${s.hypervisor.version}`}
							note={s.hypervisor.abi}
						/>
						<Stat
							label={t.overview.board}
							value={s.board}
							note={`${t.overview.version} ${s.version}`}
						/>
						<Stat
							label={t.overview.domains}
							value={String(all.length)}
							note={t.overview.running(up, all.length)}
						/>
						<Stat
							label={t.overview.cpus}
							value={String(s.cpus.length)}
							note={t.overview.online(online, s.cpus.length)}
						/>
						<Stat
							label={t.overview.storage}
							value={bytes(s.storage.free)}
							note={t.overview.ofTotal(bytes(s.storage.total))}
						/>
						<Stat label={t.overview.uptime} value={duration(s.uptime_s)} />
					</dl>
					<House system={s} domains={all} />
					<div class="grid">
						<MemoryChart />
						<Journal />
					</div>
				</>
			)}
		</Page>
	);
}
