// What the appliance has, as signals. Lists are read once and kept true by the event stream: an event
// names a resource, the resource is read again.
import { batch, signal } from '@preact/signals';
import {
	type Alert,
	type ApiError,
	call,
	type Device,
	type Domain,
	type Event,
	eventsBefore,
	type Image,
	listAll,
	listPage,
	type Network,
	type Operation,
	streamEvents,
	type StreamEvent,
	type System,
	type Volume,
} from '../api/calls';

/** So many changes at once are better read as one list. */
const MANY = 8;

/** A list of resources; `items` is undefined until it was read once. */
export class Collection<T> {
	readonly items = signal<T[] | undefined>(undefined);
	readonly error = signal<ApiError | undefined>(undefined);
	/** Keys to read again; the empty one is the whole list. */
	private readonly stale = new Set<string>();
	private worker: Promise<void> | undefined;
	private wanted = false;
	readonly keyOf: (item: T) => string;
	private readonly readAll: () => Promise<T[]>;
	private readonly readOne: (key: string) => Promise<T>;
	private readonly order: (a: T, b: T) => number;

	constructor(spec: {
		key: (item: T) => string;
		all: () => Promise<T[]>;
		one: (key: string) => Promise<T>;
		order: (a: T, b: T) => number;
	}) {
		this.keyOf = spec.key;
		this.readAll = spec.all;
		this.readOne = spec.one;
		this.order = spec.order;
	}

	/** Reads the list unless it is there. */
	want(): void {
		this.wanted = true;
		if (this.items.value === undefined) void this.reload();
	}

	/** Reads the list again if anybody looked at it. */
	reload(): Promise<void> {
		return this.refresh('');
	}

	/** Reads one resource again if anybody looked at the list; it is removed when it is gone. */
	refresh(key: string): Promise<void> {
		if (!this.wanted) return Promise.resolve();
		this.stale.add(key);
		this.worker ??= this.work().finally(() => (this.worker = undefined));
		return this.worker;
	}

	/** One reading at a time, so that an older answer never comes after a newer one. */
	private async work(): Promise<void> {
		while (this.stale.size > 0) {
			const [first = ''] = this.stale;
			const all = this.stale.has('') || this.stale.size > MANY;
			if (all) this.stale.clear();
			else this.stale.delete(first);
			try {
				if (all) this.items.value = (await this.readAll()).sort(this.order);
				else await this.readAgain(first);
				this.error.value = undefined;
			} catch (e) {
				this.error.value = e as ApiError;
			}
		}
	}

	private async readAgain(key: string): Promise<void> {
		try {
			this.put(await this.readOne(key));
		} catch (e) {
			if ((e as ApiError).status !== 404) throw e;
			this.drop(key);
		}
	}

	put(item: T): void {
		const items = this.items.value;
		if (!items) return;
		const others = items.filter((i) => this.keyOf(i) !== this.keyOf(item));
		this.items.value = [...others, item].sort(this.order);
	}

	drop(key: string): void {
		this.items.value = this.items.value?.filter((i) => this.keyOf(i) !== key);
	}

	forget(): void {
		this.wanted = false;
		this.items.value = undefined;
		this.error.value = undefined;
	}

	find(key: string): T | undefined {
		return this.items.value?.find((i) => this.keyOf(i) === key);
	}
}

const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);

export const domains = new Collection<Domain>({
	key: (d) => d.name,
	all: () => listAll('listDomains'),
	one: (name) => call('getDomain', { path: { name } }),
	order: byName,
});
export const images = new Collection<Image>({
	key: (i) => i.id,
	all: () => listAll('listImages'),
	one: (id) => call('getImage', { path: { id } }),
	order: byName,
});
export const volumes = new Collection<Volume>({
	key: (v) => v.id,
	all: () => listAll('listVolumes'),
	one: (id) => call('getVolume', { path: { id } }),
	order: byName,
});
export const networks = new Collection<Network>({
	key: (n) => n.id,
	all: () => listAll('listNetworks'),
	one: (id) => call('getNetwork', { path: { id } }),
	order: byName,
});

/** cpu-2 before cpu-10. */
const byId = new Intl.Collator('en', { numeric: true }).compare;
export const devices = new Collection<Device>({
	key: (d) => d.id,
	all: () => listAll('listDevices'),
	one: (id) => call('getDevice', { path: { id } }),
	order: (a, b) => byId(a.id, b.id),
});
/** What is wrong now, the newest first. */
export const alerts = new Collection<Alert>({
	key: (a) => a.id,
	all: async () => (await call('listAlerts', { query: { open: 'true', limit: 200 } })).items,
	one: () => Promise.reject(new Error('alerts are read as a list')),
	order: (a, b) => b.raised.localeCompare(a.raised),
});

/** Cursor of the operations older than those in the list; undefined when it has them all. */
export const olderOperations = signal<string | undefined>(undefined);
const OPERATIONS_PAGE = 50;
export const operations = new Collection<Operation>({
	key: (o) => o.id,
	all: async () => {
		const page = await listPage('listOperations', OPERATIONS_PAGE);
		olderOperations.value = page.next;
		return page.items;
	},
	one: (id) => call('getOperation', { path: { id } }),
	order: (a, b) => b.created.localeCompare(a.created) || b.id.localeCompare(a.id),
});

export async function loadOlderOperations(): Promise<void> {
	const page = await listPage('listOperations', OPERATIONS_PAGE, olderOperations.value);
	olderOperations.value = page.next;
	batch(() => page.items.forEach((o) => operations.put(o)));
}

export const isRunning = (o: Operation) => ['pending', 'running', 'cancelling'].includes(o.state);

export const system = signal<System | undefined>(undefined);
export const systemError = signal<ApiError | undefined>(undefined);

export async function readSystem(): Promise<void> {
	try {
		system.value = await call('getSystem');
		systemError.value = undefined;
	} catch (e) {
		systemError.value = e as ApiError;
	}
}

/** The newest events first, for the overview. */
export const journal = signal<Event[]>([]);
const JOURNAL_LENGTH = 30;
/** Most events are the steps of operations, which have a page of their own. */
const JOURNAL_REACH = 300;

function note(events: Event[]): void {
	const known = new Set(journal.peek().map((e) => e.seq));
	const fresh = events.filter((e) => !known.has(e.seq) && !e.type.startsWith('operation.'));
	if (fresh.length === 0) return;
	const all = [...fresh, ...journal.peek()].sort((a, b) => b.seq - a.seq);
	journal.value = all.slice(0, JOURNAL_LENGTH);
}

/** live: events flow. lost: the connection is down and what is shown may be old. */
export const link = signal<'connecting' | 'live' | 'lost'>('connecting');

const collections = { domains, images, volumes, networks, operations, devices };
const lists = [...Object.values(collections), alerts];

export function reloadEverything(): void {
	for (const c of lists) void c.reload();
	void readSystem();
}

function apply({ type, data }: StreamEvent): void {
	if (type === 'reset') return reloadEverything();
	const event = JSON.parse(data) as Event;
	note([event]);
	const [kind = '', key] = (event.resource ?? '').split('/');
	if (key && kind in collections) void collections[kind as keyof typeof collections].refresh(key);
	if (/^domain\.(created|updated|deleted)$/.test(event.type)) {
		// Who uses what has changed.
		void images.reload();
		void volumes.reload();
	}
	if (event.type.startsWith('alert.')) void alerts.reload();
	if (/^(domain|image|volume|system)\./.test(event.type)) void readSystem();
}

let close: (() => void) | undefined;
let graceTimer: ReturnType<typeof setTimeout> | undefined;
/** A dropped connection that comes back this soon is not worth a banner. */
const GRACE_MS = 1500;

export function connect(): void {
	close?.();
	link.value = 'connecting';
	close = streamEvents({
		onOpen: (resumed) => {
			clearTimeout(graceTimer);
			graceTimer = undefined;
			link.value = 'live';
			// Lists are read after the stream has begun: no change can fall between the two. After a break
			// the events come again, but not those whose resource could not be read any more.
			if (!resumed) reloadEverything();
			else for (const c of lists) if (c.error.peek()) void c.reload();
		},
		onEvent: apply,
		onLost: () => {
			graceTimer ??= setTimeout(() => (link.value = 'lost'), GRACE_MS);
		},
	});
	domains.want();
	operations.want();
	alerts.want();
	void readSystem();
	void eventsBefore(JOURNAL_REACH).then((events) =>
		note(events.map((e) => JSON.parse(e.data) as Event)),
	);
}

export function disconnect(): void {
	close?.();
	close = undefined;
	clearTimeout(graceTimer);
	graceTimer = undefined;
	for (const c of lists) c.forget();
	system.value = undefined;
	journal.value = [];
}
