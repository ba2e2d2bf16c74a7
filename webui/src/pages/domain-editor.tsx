// The form of a domain's definition, for a new one and for a change. A change carries the revision it
// was made from; when somebody else was faster, both versions are shown and a person decides.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call, type Domain, type DomainDefinition } from '../api/calls';
import { contentsText } from '../board/words';
import { t } from '../i18n';
import { fieldErrors } from '../i18n/problem';
import { Banner, LoadError } from '../parts/banner';
import { Button, Link } from '../parts/button';
import { Check, Form, Input, Select } from '../parts/field';
import { Card, Empty, Loading, Page } from '../parts/page';
import { navigate, setLeaveGuard } from '../state/route';
import { devices, domains, images, networks, system, volumes } from '../state/store';
import { useTask } from '../state/task';
import { toast } from '../state/toast';

/** The form's fields as a person types them. */
interface Draft {
	name: string;
	description: string;
	vcpus: string;
	memory: string;
	kernel: string;
	initrd: string;
	cmdline: string;
	disks: Array<{ name: string; source: string; readonly: boolean }>;
	nics: Array<{ source: string; mac: string }>;
	restart: 'never' | 'on-crash' | 'always';
	autostart: boolean;
	weight: string;
	cap: string;
}

/** A source is the id of a volume or network, or this and the id of a device. */
const DEVICE = 'device:';
const deviceOf = (source: string) =>
	source.startsWith(DEVICE) ? source.slice(DEVICE.length) : undefined;

const fresh: Draft = {
	name: '',
	description: '',
	vcpus: '1',
	memory: '256',
	kernel: '',
	initrd: '',
	cmdline: 'console=hvc0',
	disks: [],
	nics: [],
	restart: 'never',
	autostart: false,
	weight: '256',
	cap: '0',
};

function draftOf(d: Domain): Draft {
	return {
		name: d.name,
		description: d.description,
		vcpus: String(d.vcpus),
		memory: String(d.memory_mib),
		kernel: d.boot.kernel,
		initrd: d.boot.initrd ?? '',
		cmdline: d.boot.cmdline ?? '',
		disks: d.disks.map((k) => ({
			name: k.name,
			source: k.source.volume ?? `${DEVICE}${k.source.device}`,
			readonly: k.readonly ?? false,
		})),
		nics: d.nics.map((n) => ({
			source: n.network ?? `${DEVICE}${n.device}`,
			mac: n.mac ?? 'auto',
		})),
		restart: d.restart.policy ?? 'never',
		autostart: d.autostart.enabled ?? false,
		weight: String(d.cpu.weight ?? 256),
		cap: String(d.cpu.cap ?? 0),
	};
}

/** What is no number goes as it is: the appliance then says what it wants there. */
function number(text: string): number {
	return (/^\d+$/.test(text.trim()) ? Number(text) : text) as number;
}

/** The definition a draft stands for; what the form does not show is kept from `base`. */
function definitionOf(draft: Draft, base?: Domain): DomainDefinition {
	const keep: Partial<DomainDefinition> = base
		? { watchdog_s: base.watchdog_s, on_pull: base.on_pull }
		: {};
	// What its disks and interfaces are on, it owns.
	const used = [...draft.disks, ...draft.nics].flatMap((k) => deviceOf(k.source) ?? []);
	return {
		...keep,
		devices: [...new Set([...(base?.devices ?? []), ...used])],
		name: draft.name,
		description: draft.description,
		vcpus: number(draft.vcpus),
		memory_mib: number(draft.memory),
		boot: { kernel: draft.kernel, initrd: draft.initrd || null, cmdline: draft.cmdline },
		disks: draft.disks.map(({ name, source, readonly }) => {
			const device = deviceOf(source);
			return { name, source: device ? { device } : { volume: source }, readonly };
		}),
		nics: draft.nics.map(({ source, mac }) => ({
			...(deviceOf(source) ? { device: deviceOf(source) } : { network: source }),
			mac: mac.trim().toLowerCase() || 'auto',
		})),
		cpu: { ...base?.cpu, weight: number(draft.weight), cap: number(draft.cap) },
		autostart: { ...base?.autostart, enabled: draft.autostart },
		restart: { ...base?.restart, policy: draft.restart },
	};
}

/** /disks/0/source/volume and the like stand beside a field; everything else is listed on top. */
const SHOWN =
	/^\/(name|description|vcpus|memory_mib|boot(\/(kernel|initrd|cmdline))?|cpu\/(weight|cap)|restart\/policy|disks\/\d+(\/.*)?|nics\/\d+(\/.*)?)$/;

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

function nextDiskName(draft: Draft): string {
	const taken = new Set(draft.disks.map((d) => d.name));
	for (const letter of 'abcdefghijklmnopqrstuvwxyz')
		if (!taken.has(`xvd${letter}`)) return `xvd${letter}`;
	return 'xvda';
}

interface EditorProps {
	draft: Draft;
	/** Takes a change, not a draft: what was typed since the last paint must not be lost. */
	onDraft: (change: (draft: Draft) => Draft) => void;
	onSubmit: () => void;
	error: unknown;
	busy: boolean;
	isNew: boolean;
	cancelTo: string;
}

function choices(kind: string, chosen: string, none?: string) {
	const list = (images.items.value ?? []).filter((i) => i.kind === kind);
	const options = list.map((i) => ({ value: i.id, text: i.name }));
	if (chosen && !list.some((i) => i.id === chosen))
		options.push({ value: chosen, text: images.items.value ? t.domain.missing(chosen) : chosen });
	return [{ value: '', text: none ?? t.editor.choose }, ...options];
}

type PartProps = Pick<EditorProps, 'draft' | 'onDraft'> & { errors: Record<string, string> };

function Disks({ draft, onDraft, errors }: PartProps) {
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

function Nics({ draft, onDraft, errors }: PartProps) {
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

function Editor(props: EditorProps) {
	const { draft, onDraft, onSubmit, error, busy, isNew, cancelTo } = props;
	const errors = fieldErrors(error);
	const set = (part: Partial<Draft>) => onDraft((now) => ({ ...now, ...part }));
	const taken = error instanceof ApiError && error.code === 'domain.exists';
	const kernels = images.items.value?.filter((i) => i.kind === 'kernel');
	const memory = system.value?.memory;
	return (
		<Form
			label={isNew ? t.editor.newTitle : t.editor.editTitle(draft.name)}
			onSubmit={onSubmit}
			error={error}
			shows={(pointer) => SHOWN.test(pointer)}
		>
			{isNew && kernels?.length === 0 && (
				<Banner kind="info">
					{t.editor.noKernel} <Link to="/images">{t.editor.uploadKernel}</Link>
				</Banner>
			)}
			<Card title={t.editor.identity}>
				<div class="form-section">
					{isNew && (
						<Input
							label={t.editor.name}
							hint={t.editor.nameHint}
							error={errors['/name'] ?? (taken ? t.problems['domain.exists'] : undefined)}
							value={draft.name}
							onValue={(name) => set({ name })}
							required
							mono
							autofocus
							autocomplete="off"
							maxLength={64}
						/>
					)}
					<Input
						label={t.editor.description}
						optional
						error={errors['/description']}
						value={draft.description}
						onValue={(description) => set({ description })}
						autocomplete="off"
						maxLength={1024}
					/>
				</div>
			</Card>
			<Card title={t.editor.boot}>
				<div class="form-section">
					<div class="row">
						<Select
							label={t.editor.kernel}
							error={errors['/boot/kernel'] ?? errors['/boot']}
							value={draft.kernel}
							onValue={(kernel) => set({ kernel })}
							options={choices('kernel', draft.kernel)}
							required
						/>
						<Select
							label={t.editor.initrd}
							error={errors['/boot/initrd']}
							value={draft.initrd}
							onValue={(initrd) => set({ initrd })}
							options={choices('initrd', draft.initrd, t.common.none)}
						/>
					</div>
					<Input
						label={t.editor.cmdline}
						hint={t.editor.cmdlineHint}
						error={errors['/boot/cmdline']}
						value={draft.cmdline}
						onValue={(cmdline) => set({ cmdline })}
						mono
						autocomplete="off"
					/>
				</div>
			</Card>
			<Card title={t.editor.resources}>
				<div class="form-section">
					<div class="row">
						<Input
							label={t.editor.vcpus}
							type="number"
							min={1}
							max={32}
							error={errors['/vcpus']}
							value={draft.vcpus}
							onValue={(vcpus) => set({ vcpus })}
							required
						/>
						<Input
							label={t.editor.memory}
							hint={memory ? t.editor.memoryHint(memory.free_mib) : undefined}
							type="number"
							min={16}
							error={errors['/memory_mib']}
							value={draft.memory}
							onValue={(text) => set({ memory: text })}
							required
						/>
						<Input
							label={t.editor.weight}
							hint={t.editor.weightHint}
							type="number"
							min={1}
							error={errors['/cpu/weight']}
							value={draft.weight}
							onValue={(weight) => set({ weight })}
						/>
						<Input
							label={t.editor.cap}
							hint={t.editor.capHint}
							type="number"
							min={0}
							error={errors['/cpu/cap']}
							value={draft.cap}
							onValue={(cap) => set({ cap })}
						/>
					</div>
				</div>
			</Card>
			<Disks draft={draft} onDraft={onDraft} errors={errors} />
			<Nics draft={draft} onDraft={onDraft} errors={errors} />
			<Card title={t.editor.behaviour}>
				<div class="form-section">
					<Select
						label={t.editor.restart}
						error={errors['/restart/policy']}
						value={draft.restart}
						onValue={(restart) => set({ restart: restart as Draft['restart'] })}
						options={(['never', 'on-crash', 'always'] as const).map((value) => ({
							value,
							text: t.domain.restartPolicy[value],
						}))}
					/>
					<Check
						label={t.editor.autostart}
						value={draft.autostart}
						onValue={(autostart) => set({ autostart })}
					/>
				</div>
			</Card>
			<div class="actions">
				<Button submit variant="primary" busy={busy}>
					{isNew ? t.editor.submit : t.common.save}
				</Button>
				<Button onClick={() => navigate(cancelTo)}>{t.common.cancel}</Button>
			</div>
		</Form>
	);
}

/** Asks before a page with changes is left. */
function useLeaveGuard(dirty: boolean): void {
	useEffect(() => {
		setLeaveGuard(dirty ? () => window.confirm(t.editor.leave) : undefined);
		return () => setLeaveGuard(undefined);
	}, [dirty]);
}

function useLists(): void {
	useEffect(() => {
		for (const c of [domains, images, volumes, networks, devices]) c.want();
	}, []);
}

export function DomainNew() {
	useLists();
	const [initial, setInitial] = useState(fresh);
	const [draft, setDraft] = useState(fresh);
	const task = useTask();
	useLeaveGuard(draft !== initial);
	// The first kernel and initrd are what most people mean.
	const list = images.items.value;
	const filledIn = useRef(false);
	useEffect(() => {
		if (!list || filledIn.current) return;
		filledIn.current = true;
		const first = (kind: string) => list.find((i) => i.kind === kind)?.id ?? '';
		const filled = { ...fresh, kernel: first('kernel'), initrd: first('initrd') };
		setInitial(filled);
		// a quick person has typed before the list of images came
		setDraft((now) =>
			now === fresh ? filled : { ...now, kernel: filled.kernel, initrd: filled.initrd },
		);
	}, [list]);
	return (
		<Page title={t.editor.newTitle} back={{ to: '/domains', text: t.domain.back }}>
			<Editor
				draft={draft}
				onDraft={setDraft}
				error={task.error}
				busy={task.busy}
				isNew
				cancelTo="/domains"
				onSubmit={() =>
					task.run(async () => {
						const domain = await call('createDomain', { body: definitionOf(draft) });
						domains.put(domain);
						setLeaveGuard(undefined);
						toast('success', t.editor.createdToast(domain.name));
						navigate(`/domains/${domain.name}`);
					})
				}
			/>
		</Page>
	);
}

/** A definition as lines to compare, one for each field that differs between the two. */
function differences(mine: DomainDefinition, theirs: DomainDefinition) {
	const flat = (value: unknown, at = ''): Array<[string, string]> =>
		value !== null && typeof value === 'object' && !Array.isArray(value)
			? Object.entries(value).flatMap(([k, v]) => flat(v, at ? `${at}.${k}` : k))
			: [[at, typeof value === 'string' ? value : JSON.stringify(value)]];
	const a = new Map(flat(mine));
	const b = new Map(flat(theirs));
	const fields = [...new Set([...a.keys(), ...b.keys()])];
	return fields
		.map((field) => ({ field, mine: a.get(field) ?? '', theirs: b.get(field) ?? '' }))
		.filter((row) => row.mine !== row.theirs);
}

interface ConflictProps {
	draft: Draft;
	theirs: Domain;
	onMine: () => void;
	onTheirs: () => void;
	busy: boolean;
}

function Conflict({ draft, theirs, onMine, onTheirs, busy }: ConflictProps) {
	const rows = differences(definitionOf(draft, theirs), definitionOf(draftOf(theirs), theirs));
	return (
		<Banner kind="wait" focusable>
			<strong>{t.editor.conflictTitle}</strong>{' '}
			{rows.length ? t.editor.conflictText : t.editor.conflictNone}
			{rows.length > 0 && (
				<table class="table diff">
					<thead>
						<tr>
							<th scope="col">{t.editor.conflictField}</th>
							<th scope="col">{t.editor.conflictTheirs}</th>
							<th scope="col">{t.editor.conflictMine}</th>
						</tr>
					</thead>
					<tbody>
						{rows.map((r) => (
							<tr key={r.field}>
								<td>{r.field}</td>
								<td data-label={t.editor.conflictTheirs}>{r.theirs}</td>
								<td data-label={t.editor.conflictMine}>{r.mine}</td>
							</tr>
						))}
					</tbody>
				</table>
			)}
			<div class="actions">
				<Button onClick={onTheirs}>{t.editor.takeTheirs}</Button>
				<Button variant="primary" onClick={onMine} busy={busy}>
					{t.editor.keepMine}
				</Button>
			</div>
		</Banner>
	);
}

function EditLoaded({ start }: { start: Domain }) {
	const [base, setBase] = useState(start);
	const [initial, setInitial] = useState(() => draftOf(start));
	const [draft, setDraft] = useState(initial);
	const [theirs, setTheirs] = useState<Domain>();
	const task = useTask();
	const here = `/domains/${start.name}`;
	useLeaveGuard(draft !== initial);

	function save(from: Domain) {
		task.run(async () => {
			const path = { name: from.name };
			try {
				const body = definitionOf(draft, from);
				const saved = await call('replaceDomain', { path, body, revision: from.revision });
				domains.put(saved);
				setLeaveGuard(undefined);
				toast('success', t.editor.savedToast(saved.name));
				navigate(here);
			} catch (e) {
				if (!(e instanceof ApiError) || e.status !== 412) throw e;
				const now = await call('getDomain', { path });
				domains.put(now);
				setTheirs(now);
				scrollTo(0, 0);
			}
		});
	}

	return (
		<>
			{theirs && (
				<Conflict
					draft={draft}
					theirs={theirs}
					busy={task.busy}
					onMine={() => save(theirs)}
					onTheirs={() => {
						const taken = draftOf(theirs);
						setBase(theirs);
						setInitial(taken);
						setDraft(taken);
						setTheirs(undefined);
						task.clear();
					}}
				/>
			)}
			{!['stopped', 'crashed'].includes(base.status.state) && (
				<Banner kind="info">{t.domain.nextStart}</Banner>
			)}
			<Editor
				draft={draft}
				onDraft={setDraft}
				error={task.error}
				busy={task.busy}
				isNew={false}
				cancelTo={here}
				onSubmit={() => save(base)}
			/>
		</>
	);
}

export function DomainEdit({ name }: { name: string }) {
	useLists();
	const [domain, setDomain] = useState<Domain>();
	const task = useTask();
	const read = () => task.run(async () => setDomain(await call('getDomain', { path: { name } })));
	useEffect(read, [name]);
	const missing = task.error instanceof ApiError && task.error.status === 404;
	return (
		<Page title={t.editor.editTitle(name)} back={{ to: `/domains/${name}`, text: name }}>
			{domain ? (
				<EditLoaded start={domain} />
			) : missing ? (
				<Empty icon="house" title={t.common.unknownPage} text={t.common.unknownPageText} />
			) : task.error !== undefined ? (
				<LoadError error={task.error} retry={read} />
			) : (
				<Loading />
			)}
		</Page>
	);
}
