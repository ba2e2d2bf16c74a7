// The lists in a domain's form: its disks and its network interfaces.
import { contentsText } from '../board/words';
import { t } from '../i18n';
import { Button, Link } from '../parts/button';
import { Check, Input, Select } from '../parts/field';
import { Card } from '../parts/page';
import { devices, networks, volumes } from '../state/store';
import { DEVICE, type Draft, nextDiskName } from './draft';

/** A part of the form: what is typed, how it is changed, and what is wrong by pointer. */
export interface PartProps {
	draft: Draft;
	/** Takes a change, not a draft: what was typed since the last paint must not be lost. */
	onDraft: (change: (draft: Draft) => Draft) => void;
	errors: Record<string, string>;
}

/** Slots and ports that the domain owns or could, for a disk or an interface to be on. */
function deviceChoices(domain: string, chosen: string[]) {
	return (devices.items.value ?? [])
		.filter(
			(d) =>
				chosen.includes(`${DEVICE}${d.id}`) ||
				((d.gate === 'slot' || d.gate === 'port') &&
					!d.needed &&
					(d.owner === null || d.owner === domain)),
		)
		.map((d) => ({ value: `${DEVICE}${d.id}`, text: t.editor.inDevice(d.name, contentsText(d)) }));
}

export function Disks({ draft, onDraft, errors }: PartProps) {
	const list = volumes.items.value ?? [];
	const drives = deviceChoices(
		draft.name,
		draft.disks.map((d) => d.source),
	);
	const change = (i: number, part: Partial<Draft['disks'][number]>) =>
		onDraft((now) => ({
			...now,
			disks: now.disks.map((d, j) => (j === i ? { ...d, ...part } : d)),
		}));
	return (
		<Card title={t.editor.disks}>
			<div class="lines">
				<p class="muted">
					{t.editor.disksText}{' '}
					{list.length === 0 && (
						<>
							{t.editor.noVolumes} <Link to="/volumes">{t.editor.makeVolume}</Link>
						</>
					)}
				</p>
				{draft.disks.map((disk, i) => (
					<div class="line" key={i}>
						<Input
							label={t.editor.diskName}
							mono
							value={disk.name}
							error={errors[`/disks/${i}/name`] ?? errors[`/disks/${i}`]}
							onValue={(name) => change(i, { name })}
						/>
						<Select
							label={t.editor.diskVolume}
							value={disk.source}
							error={
								errors[`/disks/${i}/source/volume`] ??
								errors[`/disks/${i}/source/device`] ??
								errors[`/disks/${i}/source`]
							}
							onValue={(source) => change(i, { source })}
							options={[
								{ value: '', text: t.editor.choose },
								...list.map((v) => ({ value: v.id, text: v.name })),
								...drives,
							]}
						/>
						<Check
							label={t.editor.readonly}
							value={disk.readonly}
							onValue={(readonly) => change(i, { readonly })}
						/>
						<Button
							variant="quiet"
							icon="trash"
							label={t.editor.removeDisk(disk.name)}
							onClick={() =>
								onDraft((now) => ({ ...now, disks: now.disks.filter((_, j) => j !== i) }))
							}
						/>
					</div>
				))}
				{list.length + drives.length > 0 && (
					<div>
						<Button
							small
							icon="plus"
							onClick={() =>
								onDraft((now) => ({
									...now,
									disks: [...now.disks, { name: nextDiskName(now), source: '', readonly: false }],
								}))
							}
						>
							{t.editor.addDisk}
						</Button>
					</div>
				)}
			</div>
		</Card>
	);
}

export function Nics({ draft, onDraft, errors }: PartProps) {
	const list = networks.items.value ?? [];
	const change = (i: number, part: Partial<Draft['nics'][number]>) =>
		onDraft((now) => ({
			...now,
			nics: now.nics.map((n, j) => (j === i ? { ...n, ...part } : n)),
		}));
	return (
		<Card title={t.editor.network}>
			<div class="lines">
				{draft.nics.map((nic, i) => (
					<div class="line nic" key={i}>
						<Select
							label={t.editor.nicNetwork}
							value={nic.source}
							error={
								errors[`/nics/${i}/network`] ?? errors[`/nics/${i}/device`] ?? errors[`/nics/${i}`]
							}
							onValue={(source) => change(i, { source })}
							options={[
								{ value: '', text: t.editor.choose },
								...list.map((n) => ({
									value: n.id,
									text: n.cidr ? `${n.name} (${n.cidr})` : n.name,
								})),
								...deviceChoices(
									draft.name,
									draft.nics.map((n) => n.source),
								),
							]}
						/>
						<Input
							label={t.editor.mac}
							hint={t.editor.macHint}
							mono
							value={nic.mac}
							error={errors[`/nics/${i}/mac`]}
							onValue={(mac) => change(i, { mac })}
						/>
						<Button
							variant="quiet"
							icon="trash"
							label={t.editor.removeNic(i + 1)}
							onClick={() =>
								onDraft((now) => ({ ...now, nics: now.nics.filter((_, j) => j !== i) }))
							}
						/>
					</div>
				))}
				<div>
					<Button
						small
						icon="plus"
						onClick={() =>
							onDraft((now) => ({
								...now,
								nics: [...now.nics, { source: list[0]?.id ?? '', mac: 'auto' }],
							}))
						}
					>
						{t.editor.addNic}
					</Button>
				</div>
			</div>
		</Card>
	);
}
