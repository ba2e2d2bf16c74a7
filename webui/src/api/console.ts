// A domain's console: a WebSocket that a single-use ticket opens.
import { call, pathOf } from './calls';

export interface ConsoleHandlers {
	onOpen: () => void;
	onBytes: (bytes: Uint8Array) => void;
	onState: (state: string) => void;
	/** Down; tried again after `ms`. */
	onLost: (ms: number) => void;
}

export interface Console {
	send: (text: string) => void;
	close: () => void;
}

/** The appliance takes no longer message; a pasted text can be. */
const MESSAGE_MAX = 16 * 1024;
const BACKOFF_MS = { first: 500, most: 10_000 };

/** Keeps the console open until closed; each new connection begins with the last 256 KiB. */
export function openConsole(name: string, handlers: ConsoleHandlers): Console {
	let closed = false;
	let socket: WebSocket | undefined;
	let delay = BACKOFF_MS.first;
	let timer: ReturnType<typeof setTimeout> | undefined;

	function lost(): void {
		socket = undefined;
		if (closed) return;
		handlers.onLost(delay);
		timer = setTimeout(() => void connect(), delay);
		delay = Math.min(delay * 2, BACKOFF_MS.most);
	}

	function notice(text: string): void {
		const { type, state } = JSON.parse(text) as { type?: string; state?: string };
		if (type === 'state' && state) handlers.onState(state);
	}

	async function connect(): Promise<void> {
		try {
			const { ticket } = await call('createConsoleTicket', { path: { name } });
			if (closed) return;
			const path = pathOf('openConsole', { name }, { ticket });
			socket = new WebSocket(`wss://${location.host}${path}`);
		} catch {
			return lost();
		}
		socket.binaryType = 'arraybuffer';
		socket.onopen = () => {
			delay = BACKOFF_MS.first;
			handlers.onOpen();
		};
		socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) => {
			if (typeof data === 'string') notice(data);
			else handlers.onBytes(new Uint8Array(data));
		};
		socket.onclose = lost;
	}

	void connect();
	return {
		send: (text) => {
			if (socket?.readyState !== WebSocket.OPEN) return;
			const bytes = new TextEncoder().encode(text);
			for (let at = 0; at < bytes.length; at += MESSAGE_MAX)
				socket.send(bytes.subarray(at, at + MESSAGE_MAX));
		},
		close: () => {
			closed = true;
			clearTimeout(timer);
			socket?.close();
		},
	};
}
