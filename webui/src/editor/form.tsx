// The form of a domain's definition, for a new one and for a change.
import { ApiError, type Domain } from '../api/calls';
import { pullable } from '../board/words';
import { t } from '../i18n';
import { fieldErrors } from '../i18n/problem';
import { Banner } from '../parts/banner';
import { Button, Link } from '../parts/button';
import { Check, Form, Input, Select } from '../parts/field';
import { Card } from '../parts/page';
import { navigate } from '../state/route';
import { images, system } from '../state/store';
import { Disks, Nics, type PartProps } from './attachments';
import { devicesOf, type Draft } from './draft';

/** /disks/0/source/volume and the like stand beside a field; everything else is listed on top. */
const SHOWN =
	/^\/(name|description|vcpus|memory_mib|boot(\/(kernel|initrd|cmdline))?|cpu\/(weight|cap)|restart\/policy|on_pull|disks\/\d+(\/.*)?|nics\/\d+(\/.*)?)$/;

function choices(kind: string, chosen: string, none?: string) {
	const list = (images.items.value ?? []).filter((i) => i.kind === kind);
	const options = list.map((i) => ({ value: i.id, text: i.name }));
	if (chosen && !list.some((i) => i.id === chosen))
		options.push({ value: chosen, text: images.items.value ? t.domain.missing(chosen) : chosen });
	return [{ value: '', text: none ?? t.editor.choose }, ...options];
}

interface EditorProps extends Omit<PartProps, 'errors'> {
	onSubmit: () => void;
	error: unknown;
	busy: boolean;
	/** What is changed; undefined for a new one. */
	base?: Domain;
	cancelTo: string;
}

export function Editor(props: EditorProps) {
	const { draft, onDraft, onSubmit, error, busy, base, cancelTo } = props;
	const isNew = base === undefined;
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
					{devicesOf(draft, base).some(pullable) && (
						<Select
							label={t.domain.onPull}
							hint={t.editor.onPullHint}
							error={errors['/on_pull']}
							value={draft.onPull}
							onValue={(onPull) => set({ onPull: onPull as Draft['onPull'] })}
							options={(['report', 'restart'] as const).map((value) => ({
								value,
								text: t.domain.onPullPolicy[value],
							}))}
						/>
					)}
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
