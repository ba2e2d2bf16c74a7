// The event stream, read with fetch: EventSource cannot be told a Last-Event-ID to resume from,
// hides a 401 and cannot see that a connection went silent.
import { reportStatus } from './http';

export interface StreamEvent {
	id: string;
	type: string;
	data: string;
}

export interface StreamHandlers {
	/** `resumed`: what was missed since the last connection comes now. */
	onOpen: (resumed: boolean) => void;
	onEvent: (event: StreamEvent) => void;
	/** The stream is down; it is tried again after `ms`. */
	onLost: (ms: number) => void;
}

/** The appliance sends a heartbeat every 15 s; three missed ones mean the connection is dead. */
const SILENCE_MS = 45_000;
const BACKOFF_MS = { first: 500, most: 15_000 };

/**
 * Splits a text/event-stream (HTML standard, section 9.2) into events. Keeps no more than one
 * unfinished event; `push` takes any slice of the stream.
 */
export class StreamParser {
	private rest = '';
	private event: StreamEvent = { id: '', type: '', data: '' };
	/** Of the newest complete block, one without data included: where to resume. */
	lastId = '';
	private readonly emit: (event: StreamEvent) => void;

	constructor(emit: (event: StreamEvent) => void) {
		this.emit = emit;
	}

	push(text: string): void {
		this.rest += text;
		for (;;) {
			const match = /\r\n|\n|\r(?=[^])/.exec(this.rest);
			if (!match) return;
			const line = this.rest.slice(0, match.index);
			this.rest = this.rest.slice(match.index + match[0].length);
			this.line(line);
		}
	}

	private line(line: string): void {
		const e = this.event;
		if (line === '') {
			this.lastId = e.id;
			if (e.data || e.type) this.emit({ ...e, type: e.type || 'message' });
			this.event = { id: e.id, type: '', data: '' };
			return;
		}
		const colon = line.indexOf(':');
		const name = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
		if (name === 'data') e.data = e.data === '' ? value : `${e.data}\n${value}`;
		else if (name === 'event') e.type = value;
		else if (name === 'id' && !value.includes('\0')) e.id = value;
	}
}

/** The events that just went by, oldest first: at most `count`, for a page that was opened later. */
export async function recentEvents(path: string, count: number): Promise<StreamEvent[]> {
	const first = await readUntil(path, (_, id) => id !== '');
	const newest = Number(first.id);
	if (!Number.isSafeInteger(newest) || newest <= 0) return [];
	const after = Math.max(0, newest - count);
	const { events } = await readUntil(`${path}?after=${after}`, (_, id) => Number(id) >= newest);
	return events.filter((e) => e.type === 'message');
}

async function readUntil(
	path: string,
	enough: (events: StreamEvent[], lastId: string) => boolean,
): Promise<{ events: StreamEvent[]; id: string }> {
	const abort = new AbortController();
	const timer = setTimeout(() => abort.abort(), 5000);
	const events: StreamEvent[] = [];
	const parser = new StreamParser((event) => events.push(event));
	try {
		const response = await fetch(path, {
			headers: { Accept: 'text/event-stream' },
			credentials: 'same-origin',
			cache: 'no-store',
			signal: abort.signal,
		});
		if (!response.ok || !response.body) return { events, id: '' };
		const decoder = new TextDecoder();
		const reader = response.body.getReader();
		while (!enough(events, parser.lastId)) {
			const { done, value } = await reader.read();
			if (done) break;
			parser.push(decoder.decode(value, { stream: true }));
		}
	} catch {
		// A feed without its past is still a feed; the stream itself reports a lost connection.
	} finally {
		clearTimeout(timer);
		abort.abort();
	}
	return { events, id: parser.lastId };
}

/** Keeps the stream open until the returned function is called. */
export function openEvents(path: string, handlers: StreamHandlers): () => void {
	let stopped = false;
	let lastId = '';
	let started = false;
	let delay = BACKOFF_MS.first;
	let abort = new AbortController();
	let wake: () => void = () => undefined;

	async function readOnce(): Promise<void> {
		abort = new AbortController();
		let silence = setTimeout(() => abort.abort(), SILENCE_MS);
		const alive = () => {
			clearTimeout(silence);
			silence = setTimeout(() => abort.abort(), SILENCE_MS);
		};
		try {
			const headers: Record<string, string> = { Accept: 'text/event-stream' };
			if (lastId) headers['Last-Event-ID'] = lastId;
			const response = await fetch(path, {
				headers,
				credentials: 'same-origin',
				cache: 'no-store',
				signal: abort.signal,
			});
			reportStatus(response.status);
			if (!response.ok || !response.body) return;
			delay = BACKOFF_MS.first;
			handlers.onOpen(started);
			started = true;
			const parser = new StreamParser(handlers.onEvent);
			const decoder = new TextDecoder();
			const reader = response.body.getReader();
			for (;;) {
				const { done, value } = await reader.read();
				if (done) return;
				alive();
				parser.push(decoder.decode(value, { stream: true }));
				if (parser.lastId) lastId = parser.lastId;
			}
		} catch {
			// Every way of losing the connection is handled by trying again.
		} finally {
			clearTimeout(silence);
		}
	}

	const online = () => wake();
	window.addEventListener('online', online);
	void (async () => {
		while (!stopped) {
			await readOnce();
			if (stopped) break;
			handlers.onLost(delay);
			await new Promise<void>((resolve) => {
				wake = resolve;
				setTimeout(resolve, delay * (0.75 + Math.random() / 2));
			});
			delay = Math.min(delay * 2, BACKOFF_MS.most);
		}
	})();
	return () => {
		stopped = true;
		window.removeEventListener('online', online);
		abort.abort();
		wake();
	};
}
