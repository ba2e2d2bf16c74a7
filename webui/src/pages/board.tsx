import { useEffect, useState } from 'preact/hooks';
import type { Device } from '../api/calls';
import { BoardPicture } from '../board/picture';
import { assignable, contentsText, hasContents, isRest } from '../board/words';
import { t } from '../i18n';
import { AssignDialog } from '../parts/assign';
import { LoadError } from '../parts/banner';
import { Button, Link } from '../parts/button';
import { Card, Empty, Loading, Page } from '../parts/page';
import { BoardAlerts, Owner, Power } from '../parts/power';
import { Table } from '../parts/table';
import { devices, domains, readSystem } from '../state/store';

/** No event tells that keeper went away, so what is shown is read again now and then. */
const AGAIN_MS = 10_000;

interface TableProps {
	caption: string;
	items: Device[];
	onAssign: (d: Device) => void;
}

function DeviceTable({ caption, items, onAssign }: TableProps) {
	return (
		<div class="card table-wrap">
			<Table
				caption={caption}
				rows={items}
				keyOf={(d) => d.id}
				columns={[
					{
						label: t.board.device,
						place: 'lead',
						cell: (d) => (
							<div>
								<Link class="name" to={`/board/${d.id}`}>
									{d.name}
								</Link>
								{hasContents(d) && <div class="muted small">{contentsText(d)}</div>}
							</div>
						),
					},
					{
						label: t.board.kind,
						minor: true,
						cell: (d) => <span class="nowrap">{t.board.kinds[d.kind]}</span>,
					},
					{ label: t.board.owner, cell: (d) => <Owner name={d.owner} /> },
					{ label: t.board.powerTitle, cell: (d) => <Power device={d} /> },
					{
						label: t.board.why,
						minor: true,
						cell: (d) => <span class="muted small">{d.power.reason}</span>,
					},
					{
						label: t.common.actions,
						place: 'end',
						cell: (d) =>
							assignable(d) && (
								<Button small label={t.board.assignTo(d.name)} onClick={() => onAssign(d)}>
									{t.board.assign}
								</Button>
							),
					},
				]}
			/>
		</div>
	);
}

export function useBoard(): void {
	useEffect(() => {
		for (const c of [devices, domains]) c.want();
		const timer = setInterval(() => {
			if (!document.hidden) void devices.reload();
		}, AGAIN_MS);
		return () => clearInterval(timer);
	}, []);
}

export function Board() {
	const [assigning, setAssigning] = useState<Device>();
	useBoard();
	useEffect(() => void readSystem(), []);
	const items = devices.items.value;
	const error = devices.error.value;
	const rest = items?.filter(isRest) ?? [];
	const shown = items?.filter((d) => !isRest(d)) ?? [];
	return (
		<Page title={t.board.title} text={t.board.text}>
			{error && <LoadError error={error} retry={() => void devices.reload()} />}
			{!items && !error && <Loading />}
			<BoardAlerts />
			{items?.length === 0 && <Empty icon="board" title={t.board.empty} text={t.board.emptyText} />}
			{items && items.length > 0 && (
				<>
					<Card title={t.board.picture}>
						<BoardPicture devices={shown} />
					</Card>
					<DeviceTable caption={t.board.table} items={shown} onAssign={setAssigning} />
					{rest.length > 0 && (
						<details class="rest">
							<summary>{t.board.rest(rest.length)}</summary>
							<DeviceTable caption={t.board.restTable} items={rest} onAssign={setAssigning} />
						</details>
					)}
				</>
			)}
			{assigning && <AssignDialog device={assigning} onDone={() => setAssigning(undefined)} />}
		</Page>
	);
}
