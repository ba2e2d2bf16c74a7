// Where everything stands in the picture of the board: from the inventory and a width, in CSS pixels. Pure.
import type { Device } from '../api/calls';
import { t } from '../i18n';
import { contentsText, hasContents } from './words';

export interface Tile {
	device: Device;
	x: number;
	y: number;
	w: number;
	h: number;
	title: string;
	text: string;
	/** It moves together with the tile before it, which stands to its left. */
	tied: boolean;
}

export interface Frame {
	x: number;
	y: number;
	w: number;
	h: number;
	title: string;
	kind: 'chip' | 'part';
}

export interface Memory {
	x: number;
	y: number;
	w: number;
}

export interface Layout {
	width: number;
	height: number;
	tiles: Tile[];
	frames: Frame[];
	memory: Memory;
}

const GAP = 10;
const PAD = 16;
/** Left and right of everything: half of the thickest line. */
const EDGE = 1;
const TITLE = 24;
export const MEMORY_HEIGHT = 28;
/** From this width on, slots and ports stand at the right edge, as on a board. */
const WIDE = 720;
/** Of a small letter and of a capital. */
const CHARACTER = 6.4;
const CAPITAL = 8.4;

function short(text: string, width: number): string {
	const widths = [...text].map((c) => (c === c.toLowerCase() ? CHARACTER : CAPITAL));
	let left = width;
	const fits = widths.findIndex((w) => (left -= w) < 0);
	return fits < 0 ? text : `${text.slice(0, Math.max(2, fits - 1))}…`;
}

function words(d: Device): [title: string, text: string] {
	if (d.kind === 'cpu') return [d.id.replace(/^cpu-/, ''), ''];
	if (hasContents(d)) return [d.name, contentsText(d)];
	return [d.name, d.owner === 'dom0' ? t.overview.dom0 : (d.owner ?? '')];
}

class Builder {
	tiles: Tile[] = [];
	frames: Frame[] = [];

	/** Tiles in rows from (x, y) on; returns the height. */
	flow(devices: Device[], at: { x: number; y: number; w: number }, size: { w: number; h: number }) {
		const columns = Math.max(1, Math.floor((at.w + GAP) / (size.w + GAP)));
		const w = (at.w - (columns - 1) * GAP) / columns;
		devices.forEach((device, i) => {
			const [title, text] = words(device);
			const before = devices[i - 1];
			this.tiles.push({
				device,
				x: at.x + (i % columns) * (w + GAP),
				y: at.y + Math.floor(i / columns) * (size.h + GAP),
				w,
				h: size.h,
				title: short(title, w - 34),
				text: short(text, w - 20),
				tied: i % columns > 0 && device.group !== null && device.group === before?.group,
			});
		});
		const rows = Math.ceil(devices.length / columns);
		return rows * size.h + (rows - 1) * GAP;
	}

	/** A frame with a title around tiles; returns its height, 0 when there are none. */
	part(
		title: string,
		devices: Device[],
		at: { x: number; y: number; w: number },
		size: { w: number; h: number },
	) {
		if (devices.length === 0) return 0;
		const inside = { x: at.x + 10, y: at.y + TITLE + 6, w: at.w - 20 };
		const h = TITLE + 6 + this.flow(devices, inside, size) + 10;
		this.frames.push({ ...at, h, title, kind: 'part' });
		return h;
	}
}

/** The cores of each cluster, in order; those of no known cluster last. */
function clusters(cores: Device[]): Device[][] {
	const by = new Map<number, Device[]>();
	for (const core of cores) {
		const cluster = core.cluster ?? Infinity;
		by.set(cluster, [...(by.get(cluster) ?? []), core]);
	}
	return [...by.entries()].sort(([a], [b]) => a - b).map(([, list]) => list);
}

/** What moves together stands together. */
const together = (list: Device[]) =>
	[...list].sort((a, b) => (a.group ?? a.id).localeCompare(b.group ?? b.id));

/** "Cortex-A53" of "Cortex-A53 core 0". */
const model = (core: Device) => core.name.replace(/\s*\bcore \d+$/i, '');

export function layoutOf(devices: Device[], width: number): Layout {
	const b = new Builder();
	const of = (kind: Device['kind']) => devices.filter((d) => d.kind === kind);
	const wide = width >= WIDE;
	const chip = { x: EDGE, y: PAD, w: Math.floor((width - 2 * EDGE) * (wide ? 0.62 : 1)) };
	const inner = { x: chip.x + 12, w: chip.w - 24 };
	let y = chip.y + TITLE + 8;

	const groups = clusters(of('cpu'));
	const side = wide && groups.length === 2;
	const w = side ? (inner.w - GAP) / 2 : inner.w;
	let tallest = 0;
	groups.forEach((cores, i) => {
		const [first] = cores;
		const title = t.board.cluster(i, first ? model(first) : '');
		const at = { x: inner.x + (side ? i * (w + GAP) : 0), y, w };
		const h = b.part(title, cores, at, { w: 44, h: 46 });
		tallest = Math.max(tallest, h);
		if (!side) y += h + GAP;
	});
	if (side) y += tallest + GAP;
	const memory = { x: inner.x, y: y + TITLE, w: inner.w };
	y += TITLE + MEMORY_HEIGHT + GAP;
	const platform = b.part(
		t.board.platform,
		together(of('platform')),
		{ x: inner.x, y, w: inner.w },
		{ w: 150, h: 46 },
	);
	if (platform) y += platform + GAP;
	b.frames.unshift({ ...chip, h: y - chip.y + 2, title: t.board.chip, kind: 'chip' });

	const edge = wide
		? { x: chip.x + chip.w + PAD, y: PAD, w: width - chip.w - PAD - 2 * EDGE }
		: { x: EDGE, y: y + PAD, w: width - 2 * EDGE };
	let below = edge.y;
	for (const [title, list, size] of [
		[t.board.slots, of('pcie'), { w: 200, h: 46 }],
		[t.board.ports, of('usb'), { w: 130, h: 46 }],
	] as const) {
		const h = b.part(title, together(list), { ...edge, y: below }, size);
		if (h) below += h + GAP;
	}
	const height = Math.max(y + 2, below) + PAD - GAP + 4;
	return { width, height, tiles: b.tiles, frames: b.frames, memory };
}
