// One device: what it is, its power, its policy, and everything that happened to its rail.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, type Device, type RailRecord } from '../api/calls';
import { assignable, contentsText, hasContents } from '../board/words';
import { t } from '../i18n';
import { fieldErrors } from '../i18n/problem';
import { AssignDialog } from '../parts/assign';
import { Banner, LoadError } from '../parts/banner';
import { Button, Link } from '../parts/button';
import { Dialog } from '../parts/dialog';
import { Form, Input } from '../parts/field';
import { Card, Empty, Facts, Loading, Page } from '../parts/page';
import { BoardAlerts, Owner, Power, PowerBadge } from '../parts/power';
import { Time } from '../parts/status';
import { Table } from '../parts/table';
import { devices } from '../state/store';
import { attempt, useTask } from '../state/task';
import { useBoard } from './board';

/** All that the appliance keeps of one rail. */
const HISTORY_LENGTH = 200;

const setPolicy = async (d: Device, always_on: boolean, reason?: string) =>
	devices.put(
		await call('changeDevice', {
			path: { id: d.id },
			body: { policy: { always_on, ...(reason === undefined ? {} : { reason }) } },
			revision: d.revision,
		}),
	);

function KeepOn({ device, onDone }: { device: Device; onDone: () => void }) {
	const [reason, setReason] = useState('');
	const task = useTask();
	const errors = fieldErrors(task.error);
	return (
		<Dialog title={t.board.keepOnTitle(device.name)} onClose={onDone}>
			<Form
				label={t.board.keepOnTitle(device.name)}
				error={task.error}
				shows={(pointer) => pointer === '/policy/reason'}
				onSubmit={() =>
					task.run(async () => {
						await setPolicy(device, true, reason.trim() || undefined);
						onDone();
					})
				}
			>
				<p>{t.board.keepOnText}</p>
				<Input
					label={t.board.reason}
					error={errors['/policy/reason']}
					value={reason}
					onValue={setReason}
					maxLength={200}
					autofocus
					required
					autocomplete="off"
				/>
				<div class="actions">
					<Button onClick={onDone}>{t.common.cancel}</Button>
					<Button submit variant="primary" busy={task.busy}>
						{t.board.alwaysOn}
					</Button>
				</div>
			</Form>
		</Dialog>
	);
}

function WhatItIs({ device: d }: { device: Device }) {
	const rows: Array<[string, ComponentChildren] | false> = [
		[t.board.kind, t.board.kinds[d.kind]],
		[t.board.id, <code key="id">{d.id}</code>],
		[t.board.owner, <Owner key="owner" name={d.owner} />],
		hasContents(d) && [t.board.contents, contentsText(d)],
		d.mmio !== null && [
			t.board.registers,
			<code key="mmio">{`0x${d.mmio.base.toString(16)}`}</code>,
		],
		d.irq !== null && [t.board.interrupt, d.irq],
		d.group_reason !== null && [
			t.board.moves,
			(devices.items.value ?? [])
				.filter((other) => other.group === d.group && other.id !== d.id)
				.map((other) => other.name)
				.join(', ') + `. ${d.group_reason}`,
		],
	];
	return (
		<Card title={t.board.facts}>
			<Facts of={rows.filter((row) => row !== false)} />
		</Card>
	);
}

const policyLine = ({ policy }: Device): [string, string] => [
	t.board.policy,
	policy.always_on ? `${t.board.policyOn} ${policy.reason ?? ''}` : t.board.policyOff,
];

function Rail({ device: d, onKeep }: { device: Device; onKeep: () => void }) {
	const { power, policy } = d;
	return (
		<Card title={t.board.rail}>
			<div class="stack">
				<p>{power.reason}</p>
				<Facts
					of={[
						[t.board.wantedTitle, power.wanted ? t.board.power[power.wanted] : t.board.wantedNone],
						[t.board.actual, <Power key="actual" device={d} />],
						[t.board.since, <Time key="since" iso={power.since} />],
						[t.board.cause, t.board.causes[power.cause]],
						[t.board.lastError, power.last_error ?? t.common.none],
						...(assignable(d) ? [policyLine(d)] : []),
					]}
				/>
				{assignable(d) && (
					<div class="actions">
						{policy.always_on ? (
							<Button onClick={() => void attempt(() => setPolicy(d, false))}>
								{t.board.letGo}
							</Button>
						) : (
							<Button icon="bolt" onClick={onKeep}>
								{t.board.keepOn}
							</Button>
						)}
					</div>
				)}
			</div>
		</Card>
	);
}

function History({ device: d }: { device: Device }) {
	const [list, setList] = useState<RailRecord[]>();
	const [error, setError] = useState<unknown>();
	const [tries, setTries] = useState(0);
	useEffect(() => {
		let late = false;
		call('listDeviceHistory', { path: { id: d.id }, query: { limit: HISTORY_LENGTH } }).then(
			({ items }) => !late && (setList(items), setError(undefined)),
			(e: unknown) => !late && setError(e),
		);
		return () => {
			late = true;
		};
	}, [d.id, d.power.since, d.power.actual, tries]);
	if (error !== undefined && !list)
		return <LoadError error={error} retry={() => setTries(tries + 1)} />;
	if (!list) return <Loading />;
	return (
		<div class="card table-wrap">
			<div class="card-head">
				<h2>{t.board.history}</h2>
			</div>
			{list.length === 0 ? (
				<p class="muted">{t.board.historyEmpty}</p>
			) : (
				<Table
					caption={t.board.history}
					rows={list.map((r, i) => ({ ...r, key: `${r.time} ${i}` }))}
					keyOf={(r) => r.key}
					columns={[
						{ label: t.board.when, place: 'lead', cell: (r) => <Time iso={r.time} /> },
						{ label: t.board.became, cell: (r) => <PowerBadge power={r.power} /> },
						{ label: t.board.cause, cell: (r) => t.board.causes[r.cause] },
						{
							label: t.board.forDomain,
							cell: (r) =>
								r.domain ? <Link to={`/domains/${r.domain}`}>{r.domain}</Link> : t.common.none,
						},
						{ label: t.board.by, cell: (r) => r.actor },
						{
							label: t.board.lastError,
							minor: true,
							cell: (r) => <span class="muted small">{r.error}</span>,
						},
					]}
				/>
			)}
		</div>
	);
}

export function DevicePage({ id }: { id: string }) {
	const [dialog, setDialog] = useState<'assign' | 'keep'>();
	useBoard();
	const device = devices.find(id);
	const error = devices.error.value;
	const back = { to: '/board', text: t.board.back };
	if (!device)
		return (
			<Page title={id} back={back}>
				{error ? (
					<LoadError error={error} retry={() => void devices.reload()} />
				) : devices.items.value ? (
					<Empty icon="board" title={t.common.unknownPage} text={t.common.unknownPageText} />
				) : (
					<Loading />
				)}
			</Page>
		);
	return (
		<Page
			title={device.name}
			mark={<PowerBadge power={device.power.actual} />}
			back={back}
			actions={
				assignable(device) && (
					<Button variant="primary" onClick={() => setDialog('assign')}>
						{t.board.assign}
					</Button>
				)
			}
		>
			<BoardAlerts of={[id]} />
			{!device.present && <Banner kind="wait">{t.board.absent}</Banner>}
			<div class="grid">
				<Rail device={device} onKeep={() => setDialog('keep')} />
				<WhatItIs device={device} />
			</div>
			<History device={device} />
			{dialog === 'assign' && <AssignDialog device={device} onDone={() => setDialog(undefined)} />}
			{dialog === 'keep' && <KeepOn device={device} onDone={() => setDialog(undefined)} />}
		</Page>
	);
}
