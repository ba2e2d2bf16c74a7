// uPlot: a chunk of its own, loaded when the overview first has something to draw.
import uPlot from 'uplot';
import css from 'uplot/dist/uPlot.min.css';
import { adopt } from '../parts/adopt';
import type { Sample } from './history';

adopt(css);

/** A chart of a moment looks dramatic; five minutes look as they are. */
const LEAST_SPAN_S = 300;

export interface Plot {
	show: (samples: Sample[]) => void;
	dispose: () => void;
}

/** Colours come from the page's tokens at the time of drawing. */
function token(element: Element, name: string): string {
	const probe = document.createElement('span');
	probe.style.color = `var(${name})`;
	element.append(probe);
	const { color } = getComputedStyle(probe);
	probe.remove();
	return color;
}

export function createPlot(parent: HTMLElement, label: string): Plot {
	const axis = () => token(parent, '--muted');
	const grid = { stroke: () => token(parent, '--line'), width: 1 };
	const font = '12px system-ui, sans-serif';
	const clock = (seconds: number) =>
		new Date(seconds * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
	let total = 1;
	const plot = new uPlot(
		{
			width: parent.clientWidth,
			height: parent.clientHeight,
			legend: { show: false },
			cursor: { show: false },
			scales: {
				x: { range: (_, from, to) => [Math.min(from, to - LEAST_SPAN_S), to] },
				y: { range: () => [0, total] },
			},
			axes: [
				{
					stroke: axis,
					grid,
					ticks: { show: false },
					font,
					space: 70,
					incrs: [60, 120, 300, 600, 1200],
					values: (_, splits) => splits.map(clock),
				},
				{ stroke: axis, grid, ticks: { show: false }, font, size: 44 },
			],
			series: [
				{},
				{
					label,
					stroke: () => token(parent, '--accent'),
					fill: () => token(parent, '--accent-soft'),
					width: 2,
					points: { show: false },
					paths: uPlot.paths.stepped?.({ align: 1 }),
				},
			],
		},
		[[], []],
		parent,
	);
	const observer = new ResizeObserver(() =>
		plot.setSize({ width: parent.clientWidth, height: parent.clientHeight }),
	);
	observer.observe(parent);
	return {
		show: (samples) => {
			total = (samples.at(-1)?.total ?? 1024) / 1024;
			plot.setData([samples.map((s) => s.at), samples.map((s) => s.used / 1024)]);
		},
		dispose: () => {
			observer.disconnect();
			plot.destroy();
		},
	};
}
