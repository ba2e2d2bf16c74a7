import { useEffect, useState } from 'preact/hooks';
import { call, type Operation } from '../api/calls';
import { absolute, duration, t } from '../i18n';
import { Banner, LoadError } from '../parts/banner';
import { Button, Link } from '../parts/button';
import { Dialog } from '../parts/dialog';
import { Empty, Facts, Loading, Page } from '../parts/page';
import { OperationBadge, Progress, Time } from '../parts/status';
import { Table } from '../parts/table';
import {
	isRunning,
	loadOlderOperations,
	olderOperations,
	operations,
	volumes,
} from '../state/store';
import { attempt, useTask } from '../state/task';

/** domains/web -> web; volumes/ID -> the volume's name. */
function targetName(o: Operation): string {
	const [kind, key = ''] = o.target.split('/');
	return kind === 'volumes' ? (volumes.find(key)?.name ?? key) : key;
}

const what = (o: Operation) => `${t.operations.kinds[o.kind] ?? o.kind} ${targetName(o)}`;

function Target({ o }: { o: Operation }) {
	const name = targetName(o);
	return o.target.startsWith('domains/') ? (
		<Link to={`/domains/${name}`}>{name}</Link>
	) : (
		<Link to="/volumes">{name}</Link>
	);
}

function took(o: Operation): string {
	if (!o.started || !o.finished) return '';
	const ms = Date.parse(o.finished) - Date.parse(o.started);
	return ms < 1000 ? `${ms} ms` : duration(ms / 1000);
}

function State({ o }: { o: Operation }) {
	if (!isRunning(o)) return <OperationBadge state={o.state} />;
	return (
		<div class="stack" role="status">
			<OperationBadge state={o.state} />
			<Progress label={what(o)} done={o.progress.done} total={o.progress.total} />
			<span class="muted small">{o.progress.step}</span>
		</div>
	);
}

function Details({ o, onClose }: { o: Operation; onClose: () => void }) {
	return (
		<Dialog title={what(o)} onClose={onClose}>
			{o.error && (
				<Banner kind="bad">
					<strong>{o.error.title}</strong>
					<div>{o.error.detail}</div>
				</Banner>
			)}
			{o.warnings.map((warning) => (
				<Banner kind="wait" key={warning}>
					{warning}
				</Banner>
			))}
			<Facts
				of={[
					[t.operations.state, <OperationBadge key="s" state={o.state} />],
					[t.operations.target, <Target key="t" o={o} />],
					[t.operations.who, o.created_by],
					[t.operations.when, absolute(o.created)],
					[t.operations.took, took(o) || '-'],
					[t.operations.id, <code key="i">{o.id}</code>],
					...(o.error
						? [
								[t.operations.request, <code key="r">{o.error.request_id}</code>] as [
									string,
									preact.JSX.Element,
								],
							]
						: []),
				]}
			/>
			<div class="actions">
				<Button variant="primary" onClick={onClose}>
					{t.common.close}
				</Button>
			</div>
		</Dialog>
	);
}

function OperationTable({ items, onShow }: { items: Operation[]; onShow: (id: string) => void }) {
	return (
		<div class="card table-wrap">
			<Table
				caption={t.operations.title}
				rows={items}
				keyOf={(o) => o.id}
				columns={[
					{
						label: t.operations.what,
						place: 'lead',
						cell: (o) => (
							<span>
								<span class="name">{t.operations.kinds[o.kind] ?? o.kind}</span> <Target o={o} />
							</span>
						),
					},
					{ label: t.operations.state, cell: (o) => <State o={o} /> },
					{ label: t.operations.who, minor: true, cell: (o) => o.created_by },
					{
						label: t.operations.when,
						cell: (o) => (
							<span class="muted">
								<Time iso={o.created} />
							</span>
						),
					},
					{ label: t.operations.took, minor: true, num: true, cell: took },
					{
						label: t.common.actions,
						place: 'end',
						cell: (o) => (
							<div class="actions">
								{o.cancellable && isRunning(o) && (
									<Button
										small
										label={t.operations.cancelOf(what(o))}
										onClick={() =>
											void attempt(async () =>
												operations.put(await call('cancelOperation', { path: { id: o.id } })),
											)
										}
									>
										{t.operations.cancel}
									</Button>
								)}
								<Button
									small
									variant="quiet"
									label={t.operations.detailsOf(what(o))}
									onClick={() => onShow(o.id)}
								>
									{t.operations.details}
								</Button>
							</div>
						),
					},
				]}
			/>
		</div>
	);
}

export function Operations() {
	const [shown, setShown] = useState<string>();
	const older = useTask();
	useEffect(() => {
		operations.want();
		volumes.want();
	}, []);
	const items = operations.items.value;
	const error = operations.error.value ?? older.error;
	const open = shown === undefined ? undefined : operations.find(shown);
	return (
		<Page title={t.operations.title} text={t.operations.text}>
			{error !== undefined && <LoadError error={error} retry={() => void operations.reload()} />}
			{!items && error === undefined && <Loading />}
			{items?.length === 0 && (
				<Empty icon="activity" title={t.operations.empty} text={t.operations.emptyText} />
			)}
			{items && items.length > 0 && <OperationTable items={items} onShow={setShown} />}
			{olderOperations.value && (
				<div class="actions">
					<Button busy={older.busy} onClick={() => older.run(loadOlderOperations)}>
						{t.common.showOlder}
					</Button>
				</div>
			)}
			{open && <Details o={open} onClose={() => setShown(undefined)} />}
		</Page>
	);
}
