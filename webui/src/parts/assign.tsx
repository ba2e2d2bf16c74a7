// Giving a device to another owner: the plan is shown before anything is changed, and exactly it is applied.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, call, type Device, type Plan } from '../api/calls';
import { t } from '../i18n';
import { devices, domains } from '../state/store';
import { useTask } from '../state/task';
import { toast } from '../state/toast';
import { Banner } from './banner';
import { Button } from './button';
import { Dialog } from './dialog';
import { Form, Select } from './field';

const who = (owner: string | null) =>
	owner === null ? t.board.nobody : owner === 'dom0' ? t.board.dom0 : owner;
const named = (id: string) => devices.find(id)?.name ?? id;

function Lines({ title, items }: { title: string; items: string[] }) {
	if (items.length === 0) return null;
	return (
		<div>
			<h3>{title}</h3>
			<ul class="plain">
				{items.map((text) => (
					<li key={text}>{text}</li>
				))}
			</ul>
		</div>
	);
}

function PlanView({ plan }: { plan: Plan }) {
	const moves = plan.moves.filter((m) => m.from !== m.to);
	const wrong = [
		...plan.domains.filter((d) => d.must_stop).map((d) => t.plan.mustStop(d.name)),
		...plan.conflicts.map((c) => c.detail),
	];
	return (
		<div class="stack" role="status">
			{moves.length === 0 && plan.conflicts.length === 0 && <p class="muted">{t.plan.same}</p>}
			<Lines
				title={t.plan.moves}
				items={moves.map(
					(m) => t.plan.move(m.name, who(m.from), who(m.to)) + (m.reason ? `. ${m.reason}` : ''),
				)}
			/>
			<Lines title={t.plan.losesPower} items={plan.loses_power.map(named)} />
			<Lines
				title={t.plan.domains}
				items={plan.domains
					.filter((d) => d.note !== null && !d.must_stop)
					.map((d) => t.plan.nextStart(d.name))}
			/>
			{wrong.length > 0 && (
				<Banner kind="wait">
					<strong>{t.plan.conflicts}</strong>
					<ul>
						{wrong.map((text) => (
							<li key={text}>{text}</li>
						))}
					</ul>
				</Banner>
			)}
		</div>
	);
}

export function AssignDialog({ device, onDone }: { device: Device; onDone: () => void }) {
	const [owner, setOwner] = useState(device.owner ?? '');
	const [plan, setPlan] = useState<Plan>();
	const [stale, setStale] = useState(false);
	const task = useTask();

	const ask = (to: string) =>
		call('planAssignment', { body: { assignments: [{ device: device.id, owner: to || null }] } });
	useEffect(() => {
		let late = false;
		setPlan(undefined);
		ask(owner).then(
			(made) => !late && setPlan(made),
			(e: unknown) => !late && task.run(() => Promise.reject(e as Error)),
		);
		return () => {
			late = true;
		};
	}, [owner]);

	async function apply(token: string) {
		try {
			const { domains: changed } = await call('applyAssignment', { body: { token } });
			for (const d of changed) domains.put(d);
			toast('success', t.plan.applied);
			onDone();
		} catch (e) {
			if (!(e instanceof ApiError) || (e.status !== 412 && e.status !== 410)) throw e;
			setPlan(await ask(owner));
			setStale(true);
		}
	}

	const moves = plan?.moves.some((m) => m.from !== m.to);
	return (
		<Dialog title={t.plan.title(device.name)} onClose={onDone}>
			<Form
				label={t.plan.title(device.name)}
				error={task.error}
				onSubmit={() => {
					if (plan?.applicable && moves) task.run(() => apply(plan.token));
				}}
			>
				<Select
					label={t.plan.owner}
					hint={t.plan.show}
					value={owner}
					onValue={(value) => {
						setStale(false);
						task.clear();
						setOwner(value);
					}}
					options={[
						{ value: '', text: t.board.nobody },
						...(domains.items.value ?? []).map((d) => ({ value: d.name, text: d.name })),
					]}
				/>
				{stale && <Banner kind="info">{t.plan.stale}</Banner>}
				{plan && <PlanView plan={plan} />}
				<div class="actions">
					<Button onClick={onDone}>{t.common.cancel}</Button>
					<Button submit variant="primary" busy={task.busy || !plan?.applicable || !moves}>
						{t.plan.apply}
					</Button>
				</div>
			</Form>
		</Dialog>
	);
}
