// The board as a house: its memory is the floor space, each domain at home has a room in it.
import type { Domain, System } from '../api/calls';
import { mib, t } from '../i18n';
import { Link } from '../parts/button';
import { Card } from '../parts/page';
import { GREY, ownerColour } from './colour';

interface Room {
	name: string;
	to?: string;
	mib: number;
	colour?: string;
	free?: boolean;
}

/** Who has how much of the memory, in order. */
export function roomsOf(system: System, domains: Domain[]): Room[] {
	const { total_mib, free_mib, dom0_mib } = system.memory;
	const home = domains.filter((d) => d.status.domid !== null);
	const lived = home.reduce((sum, d) => sum + d.memory_mib, 0);
	// Dom0's share can be no more than what nobody else has, whatever its kernel counts.
	const rest = Math.max(0, total_mib - free_mib - lived);
	const dom0 = Math.min(dom0_mib, rest);
	const other = rest - dom0;
	return [
		{ name: t.overview.dom0, mib: dom0, colour: ownerColour('dom0') },
		...home.map((d) => ({
			name: d.name,
			to: `/domains/${d.name}`,
			mib: d.memory_mib,
			colour: ownerColour(d.name),
		})),
		{ name: t.overview.other, mib: other, colour: GREY },
		{ name: t.overview.free, mib: free_mib, free: true },
	].filter((r) => r.mib > 0);
}

const fill = (room: Room) => (room.colour ? { '--room': room.colour } : {});

export function House({ system, domains }: { system: System; domains: Domain[] }) {
	const rooms = roomsOf(system, domains);
	const { total_mib, free_mib } = system.memory;
	return (
		<Card
			title={t.overview.memoryTitle}
			aside={
				<span class="muted small num">{t.overview.freeOf(mib(free_mib), mib(total_mib))}</span>
			}
		>
			<svg class="roof" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
				<path d="M0 10 50 0l50 10z" fill="currentColor" />
			</svg>
			<div class="rooms" aria-hidden="true">
				{rooms.map((room) => (
					<div
						key={room.name}
						class={room.free ? 'room free' : 'room'}
						style={{ flexGrow: room.mib, ...fill(room) }}
					/>
				))}
			</div>
			<ul class="legend">
				{rooms.map((room) => (
					<li key={room.name}>
						<span class={room.free ? 'swatch room free' : 'swatch'} style={fill(room)} />
						{room.to ? <Link to={room.to}>{room.name}</Link> : room.name}{' '}
						<span class="muted num">{mib(room.mib)}</span>
					</li>
				))}
			</ul>
		</Card>
	);
}
