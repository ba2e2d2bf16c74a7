// The board as a picture, drawn from the inventory: who owns what by colour, lit when it has power. It is
// decoration to a screen reader and to the keyboard: the table behind it says the same.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Device } from '../api/calls';
import { t } from '../i18n';
import { Link } from '../parts/button';
import { navigate } from '../state/route';
import { domains, system } from '../state/store';
import { GREY, ownerColour } from './colour';
import { roomsOf } from './house';
import { type Layout, layoutOf, MEMORY_HEIGHT, type Tile } from './layout';
import { alertsOf } from './words';

const room = (colour: string) => ({ '--room': colour });

/** Its own shape for each state, for who does not see colours. */
function Lamp({ x, y, power }: { x: number; y: number; power: Device['power']['actual'] }) {
	if (power === 'fault')
		return <path class="lamp fault" d={`M${x} ${y - 6}l6.5 11.5h-13zM${x} ${y - 2}v4`} />;
	if (power === 'unknown')
		return (
			<text class="lamp unknown" x={x} y={y + 4.5}>
				?
			</text>
		);
	return <circle class={`lamp ${power}`} cx={x} cy={y} r={power === 'on' ? 5 : 4} />;
}

function Part({ tile }: { tile: Tile }) {
	const { device: d, x, y, w, h } = tile;
	const core = d.kind === 'cpu';
	const single = core || !tile.text;
	return (
		<g
			class={`tile ${d.power.actual} ${alertsOf(d).length ? 'wrong' : ''}`}
			style={room(ownerColour(d.owner))}
			onClick={() => navigate(`/board/${d.id}`)}
		>
			<title>{`${d.name}: ${t.board.power[d.power.actual]}. ${d.power.reason}`}</title>
			{tile.tied && <path class="tie" d={`M${x - 12} ${y + h / 2}h14`} />}
			<rect x={x} y={y} width={w} height={h} rx={6} />
			<text class="name" x={x + 10} y={single ? y + h / 2 + 4.5 : y + 19}>
				{tile.title}
			</text>
			{!core && (
				<text class="what" x={x + 10} y={y + 35}>
					{tile.text}
				</text>
			)}
			<Lamp x={x + w - 13} y={single ? y + h / 2 : y + 15} power={d.power.actual} />
		</g>
	);
}

/** The pins of the chip, along its upper and lower edge. */
function pins(x: number, y: number, w: number, h: number): string {
	let path = '';
	for (let at = x + 14; at < x + w - 14; at += 16) path += `M${at} ${y}v-6M${at} ${y + h}v6`;
	return path;
}

function MemoryBar({ at }: { at: Layout['memory'] }) {
	const s = system.value;
	const rooms = s ? roomsOf(s, domains.items.value ?? []) : [];
	const total = rooms.reduce((sum, r) => sum + r.mib, 0);
	let x = at.x;
	return (
		<g class="memory">
			<text class="heading" x={at.x} y={at.y - 8}>
				{t.overview.memory}
			</text>
			{rooms.map((r) => {
				const w = total ? (at.w * r.mib) / total : 0;
				x += w;
				return (
					<rect
						key={r.name}
						class={r.free ? 'free' : 'taken'}
						style={room(r.colour ?? GREY)}
						x={x - w}
						y={at.y}
						width={Math.max(0, w - 1)}
						height={MEMORY_HEIGHT}
						rx={3}
					/>
				);
			})}
		</g>
	);
}

function Drawing({ layout: l }: { layout: Layout }) {
	return (
		<svg
			class="board"
			width={l.width}
			height={l.height}
			viewBox={`0 0 ${l.width} ${l.height}`}
			aria-hidden="true"
			focusable="false"
		>
			{l.frames.map((f) => (
				<g key={`${f.x}/${f.y}`} class={`frame ${f.kind}`}>
					{f.kind === 'chip' && <path class="pins" d={pins(f.x, f.y, f.w, f.h)} />}
					<rect x={f.x} y={f.y} width={f.w} height={f.h} rx={f.kind === 'chip' ? 10 : 6} />
					<text class="heading" x={f.x + 11} y={f.y + 20}>
						{f.title}
					</text>
				</g>
			))}
			<MemoryBar at={l.memory} />
			{l.tiles.map((tile) => (
				<Part key={tile.device.id} tile={tile} />
			))}
		</svg>
	);
}

function Legend({ devices }: { devices: Device[] }) {
	// Owners of devices, and those who live in memory.
	const home = (domains.items.value ?? []).filter((d) => d.status.domid !== null);
	const names = [...devices.map((d) => d.owner), ...home.map((d) => d.name)];
	const owners = [...new Set(names)].filter((o) => o !== null).sort();
	return (
		<ul class="legend">
			{owners.map((owner) => (
				<li key={owner}>
					<span class="swatch" style={room(ownerColour(owner))} />
					{owner === 'dom0' ? t.overview.dom0 : <Link to={`/domains/${owner}`}>{owner}</Link>}
				</li>
			))}
			<li>
				<span class="swatch" style={room(GREY)} />
				{t.board.nobody}
			</li>
			{(['on', 'off', 'fault', 'unknown'] as const).map((power) => (
				<li key={power}>
					<svg class="board key" width="16" height="16" aria-hidden="true" focusable="false">
						<Lamp x={8} y={8} power={power} />
					</svg>
					{t.board.power[power]}
				</li>
			))}
		</ul>
	);
}

export function BoardPicture({ devices }: { devices: Device[] }) {
	const here = useRef<HTMLDivElement>(null);
	const [width, setWidth] = useState(0);
	useLayoutEffect(() => {
		const element = here.current;
		if (!element) return;
		const measure = () => setWidth(Math.floor(element.clientWidth));
		const observer = new ResizeObserver(measure);
		measure();
		observer.observe(element);
		return () => observer.disconnect();
	}, []);
	return (
		<>
			<div ref={here} class="board-place">
				{width > 0 && <Drawing layout={layoutOf(devices, Math.max(280, width))} />}
			</div>
			<Legend devices={devices} />
		</>
	);
}
