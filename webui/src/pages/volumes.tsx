import { useEffect, useState } from 'preact/hooks';
import { ApiError, call, type Operation, type Volume } from '../api/calls';
import { bytes, t } from '../i18n';
import { fieldErrors } from '../i18n/problem';
import { LoadError } from '../parts/banner';
import { Button } from '../parts/button';
import { confirm, Dialog } from '../parts/dialog';
import { Form, Input, Select } from '../parts/field';
import { Empty, Loading, Page } from '../parts/page';
import { Progress, Time } from '../parts/status';
import { Table } from '../parts/table';
import { type InUse, InUseDialog, UsedBy, usersOf } from '../parts/used-by';
import { images, isRunning, operations, volumes } from '../state/store';
import { attempt, useTask } from '../state/task';
import { toast } from '../state/toast';

const MIB = 1024 * 1024;

function NewVolume({ onDone }: { onDone: () => void }) {
	const [name, setName] = useState('');
	const [image, setImage] = useState('');
	const [size, setSize] = useState('1024');
	const task = useTask();
	const errors = fieldErrors(task.error);
	const disks = (images.items.value ?? []).filter((i) => i.kind === 'disk');
	return (
		<Dialog title={t.volumes.new} onClose={onDone}>
			<Form
				label={t.volumes.new}
				error={task.error}
				shows={(pointer) => ['/name', '/size', '/image'].includes(pointer)}
				onSubmit={() =>
					task.run(async () => {
						const wish = size.trim() === '' ? {} : { size: Number(size) * MIB };
						const answer = await call('createVolume', {
							body: { name, ...wish, ...(image ? { image } : {}) },
						});
						if ('kind' in answer) {
							operations.put(answer);
							toast('info', t.volumes.copying(name));
						} else {
							volumes.put(answer);
							toast('success', t.volumes.created(name));
						}
						onDone();
					})
				}
			>
				<Input
					label={t.volumes.name}
					hint={t.volumes.nameHint}
					error={errors['/name']}
					value={name}
					onValue={setName}
					required
					mono
					autofocus
					autocomplete="off"
				/>
				<Select
					label={t.volumes.source}
					error={errors['/image']}
					value={image}
					onValue={(value) => {
						setImage(value);
						setSize(value ? '' : '1024');
					}}
					options={[
						{ value: '', text: t.volumes.fromEmpty },
						...disks.map((i) => ({ value: i.id, text: `${i.name} (${bytes(i.size)})` })),
					]}
				/>
				<Input
					label={t.volumes.sizeMib}
					hint={image ? t.volumes.sizeImageHint : undefined}
					optional={!!image}
					error={errors['/size']}
					type="number"
					min={1}
					value={size}
					onValue={setSize}
				/>
				<div class="actions">
					<Button onClick={onDone}>{t.common.cancel}</Button>
					<Button submit variant="primary" busy={task.busy}>
						{t.common.create}
					</Button>
				</div>
			</Form>
		</Dialog>
	);
}

async function remove(volume: Volume, onInUse: (u: InUse) => void): Promise<void> {
	const title = t.volumes.inUseTitle(volume.name);
	if (volume.used_by.length)
		return onInUse({ title, text: t.volumes.inUseText, users: volume.used_by });
	const yes = await confirm({
		title: t.volumes.deleteTitle(volume.name),
		text: t.volumes.deleteText,
		yes: t.common.delete,
		danger: true,
	});
	if (!yes) return;
	await attempt(async () => {
		try {
			await call('deleteVolume', { path: { id: volume.id }, revision: volume.revision });
			volumes.drop(volume.id);
			toast('success', t.volumes.deleted(volume.name));
		} catch (e) {
			if (!(e instanceof ApiError) || e.code !== 'volume.in_use') throw e;
			const users = await usersOf(volumes, volume.id);
			onInUse({ title, text: t.volumes.inUseText, users });
		}
	});
}

/** Copies that are being made, until the volume is there. */
function Copies({ list }: { list: Operation[] }) {
	return (
		<div class="card stack">
			{list.map((o) => (
				<div key={o.id} class="stack">
					<span class="small">
						{t.operations.kinds[o.kind]} · <span class="muted">{o.progress.step}</span>
					</span>
					<Progress
						label={t.operations.kinds[o.kind] ?? o.kind}
						done={o.progress.done}
						total={o.progress.total}
					/>
				</div>
			))}
		</div>
	);
}

function VolumeTable({ items, onInUse }: { items: Volume[]; onInUse: (u: InUse) => void }) {
	const from = (v: Volume) =>
		v.image ? (images.find(v.image)?.name ?? t.domain.missing(v.image)) : t.volumes.fromEmpty;
	return (
		<div class="card table-wrap">
			<Table
				caption={t.volumes.title}
				rows={items}
				keyOf={(v) => v.id}
				columns={[
					{
						label: t.volumes.name,
						place: 'lead',
						cell: (v) => <span class="name">{v.name}</span>,
					},
					{ label: t.volumes.size, num: true, cell: (v) => bytes(v.size) },
					{ label: t.volumes.from, cell: (v) => <span class="muted">{from(v)}</span> },
					{ label: t.volumes.usedBy, cell: (v) => <UsedBy names={v.used_by} /> },
					{
						label: t.images.created,
						minor: true,
						cell: (v) => (
							<span class="muted">
								<Time iso={v.created} />
							</span>
						),
					},
					{
						label: t.common.actions,
						place: 'end',
						cell: (v) => (
							<Button
								small
								variant="quiet"
								icon="trash"
								label={`${t.common.delete} ${v.name}`}
								onClick={() => void remove(v, onInUse)}
							/>
						),
					},
				]}
			/>
		</div>
	);
}

export function Volumes() {
	const [making, setMaking] = useState(false);
	const [inUse, setInUse] = useState<InUse>();
	useEffect(() => {
		for (const c of [volumes, images, operations]) c.want();
	}, []);
	const items = volumes.items.value;
	const error = volumes.error.value;
	const copies = (operations.items.value ?? []).filter(
		(o) => o.kind === 'volume.create' && isRunning(o),
	);
	const button = (
		<Button variant="primary" icon="plus" onClick={() => setMaking(true)}>
			{t.volumes.new}
		</Button>
	);
	return (
		<Page
			title={t.volumes.title}
			text={t.volumes.text}
			actions={items?.length ? button : undefined}
		>
			{copies.length > 0 && <Copies list={copies} />}
			{error && <LoadError error={error} retry={() => void volumes.reload()} />}
			{!items && !error && <Loading />}
			{items?.length === 0 && (
				<Empty icon="volume" title={t.volumes.empty} text={t.volumes.emptyText}>
					{button}
				</Empty>
			)}
			{items && items.length > 0 && <VolumeTable items={items} onInUse={setInUse} />}
			{making && <NewVolume onDone={() => setMaking(false)} />}
			{inUse && <InUseDialog inUse={inUse} onClose={() => setInUse(undefined)} />}
		</Page>
	);
}
