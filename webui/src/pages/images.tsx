import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call, type Image, type ImageKind } from '../api/calls';
import { bytes, t } from '../i18n';
import { errorText } from '../i18n/problem';
import { LoadError } from '../parts/banner';
import { Button, Link } from '../parts/button';
import { confirm, Dialog } from '../parts/dialog';
import { Form, Input, Select } from '../parts/field';
import { Icon } from '../parts/icon';
import { Card, Empty, Loading, Page } from '../parts/page';
import { Progress, Time } from '../parts/status';
import { Table } from '../parts/table';
import { UsedBy, type InUse, InUseDialog, usersOf } from '../parts/used-by';
import { domains, images } from '../state/store';
import { attempt } from '../state/task';
import { toast } from '../state/toast';
import {
	cancel,
	findParked,
	kindOf,
	labelOf,
	parkedFor,
	pause,
	resume,
	start,
	type Upload,
	uploads,
} from '../state/uploads';

const KINDS: ImageKind[] = ['kernel', 'initrd', 'disk', 'boot', 'dtb'];

interface Chosen {
	file: File;
	name: string;
	kind: ImageKind;
}

/** Asks what the chosen files are before they go up. */
function Choose({ files, onDone }: { files: File[]; onDone: () => void }) {
	const [list, setList] = useState<Chosen[]>(() =>
		files.map((file) => ({ file, name: labelOf(file.name), kind: kindOf(file.name) })),
	);
	const change = (i: number, part: Partial<Chosen>) =>
		setList(list.map((c, j) => (j === i ? { ...c, ...part } : c)));
	const empty = list.some((c) => c.file.size === 0);
	return (
		<Dialog title={t.uploads.dialogTitle} onClose={onDone}>
			<Form
				label={t.uploads.dialogTitle}
				onSubmit={() => {
					if (empty) return;
					for (const { file, name, kind } of list) start(file, labelOf(name), kind);
					onDone();
				}}
			>
				{list.map(({ file, name, kind }, i) => (
					<fieldset class="form-section" key={i}>
						<legend class="small">
							<code>{file.name}</code> <span class="muted">{bytes(file.size)}</span>
						</legend>
						<div class="row">
							<Input
								label={t.uploads.name}
								value={name}
								error={file.size === 0 ? t.uploads.emptyFile : undefined}
								onValue={(text) => change(i, { name: text })}
								maxLength={128}
								autocomplete="off"
							/>
							<Select
								label={t.uploads.kind}
								value={kind}
								onValue={(value) => change(i, { kind: value as ImageKind })}
								options={KINDS.map((value) => ({ value, text: t.kinds[value] }))}
							/>
						</div>
					</fieldset>
				))}
				<div class="actions">
					<Button onClick={onDone}>{t.common.cancel}</Button>
					<Button submit variant="primary" icon="upload" busy={empty}>
						{t.uploads.begin(list.length)}
					</Button>
				</div>
			</Form>
		</Dialog>
	);
}

/** A button that opens the file picker; the input itself stays out of sight and of the tab order. */
function PickButton(props: {
	text: string;
	multiple?: boolean;
	primary?: boolean;
	onFiles: (files: File[]) => void;
}) {
	const input = useRef<HTMLInputElement>(null);
	return (
		<>
			<input
				ref={input}
				type="file"
				hidden
				multiple={props.multiple}
				aria-label={props.text}
				onChange={(e) => {
					const files = [...(e.currentTarget.files ?? [])];
					e.currentTarget.value = '';
					if (files.length) props.onFiles(files);
				}}
			/>
			<Button
				icon="upload"
				small={!props.primary}
				variant={props.primary ? 'primary' : 'plain'}
				onClick={() => input.current?.click()}
			>
				{props.text}
			</Button>
		</>
	);
}

async function confirmCancel(u: Upload): Promise<void> {
	const yes = await confirm({
		title: t.uploads.cancelTitle(u.name),
		text: t.uploads.cancelText,
		yes: t.uploads.cancelButton,
		no: t.uploads.keep,
		danger: true,
	});
	if (yes) await attempt(() => cancel(u.id));
}

async function pickAgain(u: Upload, file: File | undefined): Promise<void> {
	if (!file) return;
	const match = await parkedFor(file);
	if (match?.id !== u.id) return toast('error', t.uploads.wrongFile(u.name));
	resume(u.id, file);
}

function UploadRow({ u }: { u: Upload }) {
	const going = u.state === 'sending' || u.state === 'waiting';
	return (
		<li class="upload" data-state={u.state}>
			<span>
				<strong>{u.name}</strong> <span class="muted">{t.kinds[u.kind]}</span>
			</span>
			<span class="actions">
				{u.state === 'parked' && (
					<PickButton
						text={t.uploads.pickAgain}
						onFiles={([file]) => void attempt(() => pickAgain(u, file))}
					/>
				)}
				{going && (
					<Button
						small
						variant="quiet"
						icon="pause"
						label={t.uploads.pause(u.name)}
						onClick={() => pause(u.id)}
					/>
				)}
				{(u.state === 'paused' || u.state === 'failed') && (
					<Button
						small
						variant="quiet"
						icon="play"
						label={t.uploads.resume(u.name)}
						onClick={() => resume(u.id)}
					/>
				)}
				<Button
					small
					variant="quiet"
					icon="close"
					label={t.uploads.cancel(u.name)}
					onClick={() => void confirmCancel(u)}
				/>
			</span>
			<Progress label={u.name} done={u.sent} total={u.size} />
			<span class="status muted small num" role="status">
				{t.uploads.states[u.state]} · {t.uploads.progress(bytes(u.sent), bytes(u.size))}
				{u.state === 'parked' && <> · {t.uploads.parkedText}</>}
				{u.state === 'failed' && u.error && <> · {errorText(u.error)}</>}
			</span>
		</li>
	);
}

async function copyDigest(sha256: string): Promise<void> {
	await navigator.clipboard.writeText(sha256);
	toast('info', t.images.copyDigestDone);
}

async function remove(image: Image, onInUse: (u: InUse) => void): Promise<void> {
	const title = t.images.inUseTitle(image.name);
	if (image.used_by.length)
		return onInUse({ title, text: t.images.inUseText, users: image.used_by });
	const yes = await confirm({
		title: t.images.deleteTitle(image.name),
		text: t.images.deleteText,
		yes: t.common.delete,
		danger: true,
	});
	if (!yes) return;
	await attempt(async () => {
		try {
			await call('deleteImage', { path: { id: image.id }, revision: image.revision });
			images.drop(image.id);
			toast('success', t.images.deleted(image.name));
		} catch (e) {
			if (!(e instanceof ApiError) || e.code !== 'image.in_use') throw e;
			const users = await usersOf(images, image.id);
			onInUse({ title, text: t.images.inUseText, users });
		}
	});
}

function ImageTable({ items, onInUse }: { items: Image[]; onInUse: (u: InUse) => void }) {
	return (
		<div class="card table-wrap">
			<Table
				caption={t.images.title}
				rows={items}
				keyOf={(i) => i.id}
				columns={[
					{
						label: t.images.name,
						place: 'lead',
						cell: (i) => <span class="name">{i.name}</span>,
					},
					{
						label: t.images.kind,
						cell: (i) => <span class="nowrap">{t.kinds[i.kind]}</span>,
					},
					{ label: t.images.size, num: true, cell: (i) => bytes(i.size) },
					{
						label: t.images.digest,
						minor: true,
						cell: (i) => (
							<span class="digest-line">
								<code class="digest muted" title={i.sha256}>
									{i.sha256}
								</code>
								<Button
									small
									variant="quiet"
									icon="copy"
									label={t.images.copyDigest(i.name)}
									onClick={() => void attempt(() => copyDigest(i.sha256))}
								/>
							</span>
						),
					},
					{ label: t.images.usedBy, cell: (i) => <UsedBy names={i.used_by} /> },
					{
						label: t.images.created,
						minor: true,
						cell: (i) => (
							<span class="muted">
								<Time iso={i.created} />
							</span>
						),
					},
					{
						label: t.common.actions,
						place: 'end',
						cell: (i) => (
							<Button
								small
								variant="quiet"
								icon="trash"
								label={`${t.common.delete} ${i.name}`}
								onClick={() => void remove(i, onInUse)}
							/>
						),
					},
				]}
			/>
		</div>
	);
}

export function Images() {
	const [files, setFiles] = useState<File[]>([]);
	const [inUse, setInUse] = useState<InUse>();
	const [over, setOver] = useState(false);
	useEffect(() => {
		for (const c of [images, domains]) c.want();
		void findParked();
	}, []);

	/** A file that belongs to an interrupted upload goes on with it; the others are asked about. */
	async function take(picked: File[]): Promise<void> {
		const others: File[] = [];
		for (const file of picked) {
			const parked = await parkedFor(file);
			if (!parked) others.push(file);
			else {
				resume(parked.id, file);
				toast('info', t.uploads.resumed(parked.name));
			}
		}
		setFiles(others);
	}

	const items = images.items.value;
	const error = images.error.value;
	const going = uploads.value;
	return (
		<Page title={t.images.title} text={t.images.text}>
			<div
				class="drop"
				data-over={over}
				onDragOver={(e) => {
					e.preventDefault();
					setOver(true);
				}}
				onDragLeave={() => setOver(false)}
				onDrop={(e) => {
					e.preventDefault();
					setOver(false);
					void attempt(() => take([...(e.dataTransfer?.files ?? [])]));
				}}
			>
				<PickButton
					text={t.images.choose}
					multiple
					primary
					onFiles={(picked) => void attempt(() => take(picked))}
				/>
				<span class="muted">{t.images.drop}</span>
			</div>
			{going.length > 0 && (
				<Card title={t.uploads.title}>
					<ul>
						{going.map((u) => (
							<UploadRow key={u.id} u={u} />
						))}
					</ul>
				</Card>
			)}
			{error && <LoadError error={error} retry={() => void images.reload()} />}
			{!items && !error && <Loading />}
			{items?.length === 0 && going.length === 0 && (
				<Empty icon="image" title={t.images.empty} text={t.images.emptyText} />
			)}
			{items && items.length > 0 && <ImageTable items={items} onInUse={setInUse} />}
			{domains.items.value?.length === 0 && items?.some((i) => i.kind === 'kernel') && (
				<p class="muted small hint-line">
					<Icon name="info" /> {t.images.next} <Link to="/new-domain">{t.start.defineButton}</Link>
				</p>
			)}
			{files.length > 0 && (
				<Choose
					key={files.map((f) => f.name).join('/')}
					files={files}
					onDone={() => setFiles([])}
				/>
			)}
			{inUse && <InUseDialog inUse={inUse} onClose={() => setInUse(undefined)} />}
		</Page>
	);
}
