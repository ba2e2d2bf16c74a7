// Every call of the REST API, typed from api/openapi.yaml.
import { operations, type Operations } from 'domus-api';
import { openEvents, recentEvents, type StreamEvent, type StreamHandlers } from './events';
import { request } from './http';

export type * from 'domus-api';
export { ApiError } from './problem';
export type { FieldProblem } from './problem';
export { onSignedOut, setCsrfToken } from './http';
export type { StreamEvent };

type Id = keyof Operations;

interface CallOptions<K extends Id> {
	path?: Operations[K]['path'];
	query?: Operations[K]['query'];
	body?: Operations[K]['body'];
	/** The revision the change is meant for. */
	revision?: number;
	/** A 401 is an answer here and not the end of the session. */
	anonymous?: boolean;
	signal?: AbortSignal;
}

/** The path of an operation with its parameters filled in, for links and sockets. */
export function pathOf<K extends Id>(
	id: K,
	path?: Operations[K]['path'],
	query?: Operations[K]['query'],
): string {
	const values = (path ?? {}) as Record<string, string>;
	const filled = operations[id][1].replace(/\{(\w+)\}/g, (_, name: string) =>
		encodeURIComponent(values[name] ?? ''),
	);
	const search = new URLSearchParams();
	for (const [name, value] of Object.entries(query ?? {}))
		if (value !== undefined) search.set(name, String(value));
	return search.size ? `${filled}?${search}` : filled;
}

interface Page<T> {
	answer: T;
	next: string | undefined;
}

async function send<K extends Id>(
	id: K,
	options: CallOptions<K>,
): Promise<Page<Operations[K]['answer']>> {
	const { body, headers } = await request<Operations[K]['answer']>(
		operations[id][0],
		pathOf(id, options.path, options.query),
		{
			body: options.body,
			ifMatch: options.revision === undefined ? undefined : `"r${options.revision}"`,
			anonymous: options.anonymous,
			signal: options.signal,
		},
	);
	const link = /<([^>]+)>;\s*rel="?next"?/.exec(headers.get('Link') ?? '');
	const next = link?.[1] && new URL(link[1], location.origin).searchParams.get('cursor');
	return { answer: body, next: next || undefined };
}

export async function call<K extends Id>(
	id: K,
	options: CallOptions<K> = {},
): Promise<Operations[K]['answer']> {
	return (await send(id, options)).answer;
}

type ListId = {
	[K in Id]: Operations[K]['answer'] extends { items: unknown[] } ? K : never;
}[Id];
type Item<K extends ListId> = Operations[K]['answer']['items'][number];

export interface Listing<T> {
	items: T[];
	next: string | undefined;
}

/** One page of a list; give back `next` as `cursor` for the one after. */
export async function listPage<K extends ListId>(
	id: K,
	limit: number,
	cursor?: string,
): Promise<Listing<Item<K>>> {
	const { answer, next } = await send(id, { query: { limit, cursor } as Operations[K]['query'] });
	return { items: answer.items, next };
}

/** The whole list, page after page. */
export async function listAll<K extends ListId>(id: K): Promise<Item<K>[]> {
	const all: Item<K>[] = [];
	let cursor: string | undefined;
	do {
		const page = await listPage(id, 200, cursor);
		all.push(...page.items);
		cursor = page.next;
	} while (cursor);
	return all;
}

export function streamEvents(handlers: StreamHandlers): () => void {
	return openEvents(pathOf('streamEvents'), handlers);
}

export function eventsBefore(count: number): Promise<StreamEvent[]> {
	return recentEvents(pathOf('streamEvents'), count);
}
