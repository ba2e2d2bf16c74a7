// xterm and its style sheet: a chunk of its own, loaded when the first console is opened.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import xtermCss from '@xterm/xterm/css/xterm.css';
import { adopt } from '../parts/adopt';
import './style-element';

adopt(xtermCss);

/** A guest believes in 80 columns and 24 lines: a serial console cannot tell it otherwise. */
const LEAST = { cols: 80, rows: 24 };
/** After connecting, what the appliance sends is the past. */
const REPLAY_MS = 500;
/** Answers a terminal gives to queries (ECMA-48 DA, CPR, focus and so on), as opposed to typing. */
// eslint-disable-next-line no-control-regex
const REPORT = /^\x1b(\[[?>]?[\d;]*[cRnyI]|\[[IO]$|[P\]])/;

const theme = {
	background: '#14110f',
	foreground: '#efe9e1',
	cursor: '#f19a76',
	cursorAccent: '#14110f',
	selectionBackground: '#6b4a3c',
	black: '#2b2622',
	brightBlack: '#9a9085',
	red: '#ff8f85',
	brightRed: '#ffb0a8',
	green: '#84d9a5',
	brightGreen: '#a9e8c0',
	yellow: '#f0c374',
	brightYellow: '#f8dba4',
	blue: '#8fbdf5',
	brightBlue: '#b4d4fa',
	magenta: '#d9a6e8',
	brightMagenta: '#e8c5f2',
	cyan: '#7fd3d8',
	brightCyan: '#abe4e8',
	white: '#d8d0c6',
	brightWhite: '#ffffff',
};

export interface Screen {
	write: (bytes: Uint8Array) => void;
	/** A new connection begins: forget what is shown, the past comes again. */
	restart: () => void;
	focus: () => void;
	fit: () => void;
	setScreenReader: (on: boolean) => void;
	dispose: () => void;
}

interface ScreenHandlers {
	onInput: (text: string) => void;
	/** Ctrl+Shift+Enter, the documented way out: to a guest it would be plain Enter. */
	onLeave: () => void;
}

export function createScreen(parent: HTMLElement, handlers: ScreenHandlers): Screen {
	const terminal = new Terminal({
		theme,
		cols: LEAST.cols,
		rows: LEAST.rows,
		fontFamily: "ui-monospace, 'SF Mono', 'Cascadia Mono', Consolas, 'DejaVu Sans Mono', monospace",
		fontSize: 13,
		scrollback: 5000,
		minimumContrastRatio: 4.5,
		cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
	});
	const fitter = new FitAddon();
	terminal.loadAddon(fitter);
	terminal.open(parent);
	terminal.attachCustomKeyEventHandler((e) => {
		if (e.key !== 'Enter' || !e.ctrlKey || !e.shiftKey) return true;
		if (e.type === 'keydown') {
			e.preventDefault();
			handlers.onLeave();
		}
		return false;
	});
	let replayUntil = 0;
	terminal.onData((text) => {
		// The past may hold queries that were answered then; the guest's shell must not get them again.
		if (performance.now() < replayUntil && REPORT.test(text)) return;
		handlers.onInput(text);
	});

	function fit(): void {
		const wish = fitter.proposeDimensions();
		if (!wish || !Number.isFinite(wish.cols) || !Number.isFinite(wish.rows)) return;
		terminal.resize(Math.max(LEAST.cols, wish.cols), Math.max(2, wish.rows));
	}
	const observer = new ResizeObserver(fit);
	observer.observe(parent);
	fit();

	return {
		write: (bytes) => terminal.write(bytes),
		restart: () => {
			terminal.reset();
			replayUntil = performance.now() + REPLAY_MS;
		},
		focus: () => terminal.focus(),
		fit,
		setScreenReader: (on) => (terminal.options.screenReaderMode = on),
		dispose: () => {
			observer.disconnect();
			terminal.dispose();
		},
	};
}
