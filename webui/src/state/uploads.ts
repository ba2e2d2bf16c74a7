// Uploads that go on while a person looks at other pages, survive a cut connection by themselves and
// a closed page by being offered again.
import { signal } from '@preact/signals';
import type { ApiError, ImageKind } from '../api/calls';
import {
	createUpload,
	deleteUpload,
	fingerprint,
	isRetryable,
	sendChunk,
	uploadOffset,
} from '../api/tus';
import { images } from './store';

/** waiting: for the connection. parked: the page was closed; needs the file again. */
export type UploadState = 'sending' | 'waiting' | 'paused' | 'failed' | 'parked';

export interface Upload {
	id: number;
	name: string;
	kind: ImageKind;
	size: number;
	sent: number;
	state: UploadState;
	error?: ApiError;
}

/** What is kept in this browser, so that a reload does not lose the offset. */
interface Kept {
	url: string;
	name: string;
	kind: ImageKind;
	size: number;
	fingerprint: string;
}

interface Work {
	file?: File;
	url?: string;
	fingerprint?: string;
	abort: AbortController;
}

const KEY = 'domus.uploads';
const RETRY_MS = { first: 1000, most: 15_000 };
let next = 1;
const works = new Map<number, Work>();

export const uploads = signal<Upload[]>([]);

function kept(): Kept[] {
	try {
		const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
		return Array.isArray(value) ? (value as Kept[]) : [];
	} catch {
		return [];
	}
}

function keep(change: (list: Kept[]) => Kept[]): void {
	try {
		localStorage.setItem(KEY, JSON.stringify(change(kept())));
	} catch {
		// Without local storage an upload cannot be resumed after a reload; all else works.
	}
}

function update(id: number, change: Partial<Upload>): void {
	uploads.value = uploads.value.map((u) => (u.id === id ? { ...u, ...change } : u));
}

function forget(id: number): void {
	const url = works.get(id)?.url;
	if (url) keep((list) => list.filter((k) => k.url !== url));
	works.delete(id);
	uploads.value = uploads.value.filter((u) => u.id !== id);
}

/** Lists what an earlier visit left unfinished, with the appliance's own idea of how far it is. */
export async function findParked(): Promise<void> {
	for (const k of kept()) {
		if ([...works.values()].some((w) => w.url === k.url)) continue;
		const id = next++;
		works.set(id, { url: k.url, fingerprint: k.fingerprint, abort: new AbortController() });
		try {
			const sent = await uploadOffset(k.url, new AbortController().signal);
			const { name, kind, size } = k;
			uploads.value = [...uploads.value, { id, name, kind, size, sent, state: 'parked' }];
		} catch (e) {
			// Expired or finished: nothing to resume. Anything else may pass; it stays kept.
			if ([404, 410].includes((e as ApiError).status)) forget(id);
			else works.delete(id);
		}
	}
}

/** A name that the API takes, from a file's name. */
export function labelOf(fileName: string): string {
	const label = fileName.replace(/[^A-Za-z0-9 ._+~()-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
	return label.slice(0, 128) || 'image';
}

/** Guesses what a file is from its name; a person can correct it. */
export function kindOf(fileName: string): ImageKind {
	const name = fileName.toLowerCase();
	if (/initrd|initramfs|\.cpio/.test(name)) return 'initrd';
	if (/vmlinu|^image|kernel/.test(name)) return 'kernel';
	if (/\.dtbo?$/.test(name)) return 'dtb';
	if (/boot.*\.img$/.test(name)) return 'boot';
	return 'disk';
}

/** The parked upload that this very file belongs to. */
export async function parkedFor(file: File): Promise<Upload | undefined> {
	const candidates = uploads.value.filter((u) => u.state === 'parked' && u.size === file.size);
	if (candidates.length === 0) return undefined;
	const print = await fingerprint(file);
	return candidates.find((u) => works.get(u.id)?.fingerprint === print);
}

export function start(file: File, name: string, kind: ImageKind): void {
	const id = next++;
	works.set(id, { file, abort: new AbortController() });
	uploads.value = [
		...uploads.value,
		{ id, name, kind, size: file.size, sent: 0, state: 'sending' },
	];
	void run(id);
}

/** Goes on with a paused or failed upload, or with a parked one, whose file was picked again. */
export function resume(id: number, file?: File): void {
	const work = works.get(id);
	if (!work) return;
	if (file) work.file = file;
	work.abort = new AbortController();
	update(id, { state: 'sending', error: undefined });
	void run(id);
}

export function pause(id: number): void {
	update(id, { state: 'paused' });
	works.get(id)?.abort.abort();
}

export async function cancel(id: number): Promise<void> {
	const work = works.get(id);
	work?.abort.abort();
	if (work?.url) await deleteUpload(work.url);
	forget(id);
}

async function begin(work: Work, upload: Upload, file: File): Promise<string> {
	const url = await createUpload(file, upload.name, upload.kind, work.abort.signal);
	work.url = url;
	work.fingerprint = await fingerprint(file);
	const { name, kind, size } = upload;
	const entry: Kept = { url, name, kind, size, fingerprint: work.fingerprint };
	keep((list) => [...list.filter((k) => k.url !== url), entry]);
	return url;
}

async function transfer(id: number, work: Work, upload: Upload, file: File): Promise<void> {
	const { signal } = work.abort;
	const url = work.url ?? (await begin(work, upload, file));
	let offset = await uploadOffset(url, signal);
	update(id, { sent: offset, state: 'sending' });
	while (offset < file.size) {
		offset = await sendChunk(url, file, offset, signal, (sent) => update(id, { sent }));
		update(id, { sent: offset, state: 'sending' });
	}
}

async function run(id: number): Promise<void> {
	const work = works.get(id);
	const upload = uploads.value.find((u) => u.id === id);
	if (!work?.file || !upload) return;
	const { signal } = work.abort;
	for (let delay = RETRY_MS.first; ; delay = Math.min(delay * 2, RETRY_MS.most)) {
		const before = uploads.value.find((u) => u.id === id)?.sent ?? 0;
		try {
			await transfer(id, work, upload, work.file);
			forget(id);
			await images.reload();
			return;
		} catch (e) {
			if (signal.aborted) return;
			const error = e as ApiError;
			if (!isRetryable(error)) return fail(id, work, error);
			update(id, { state: 'waiting', error });
			const moved = (uploads.value.find((u) => u.id === id)?.sent ?? 0) > before;
			if (moved) delay = RETRY_MS.first;
			await pauseFor(Math.max(delay, (error.retryAfter ?? 0) * 1000), signal);
			if (signal.aborted) return;
		}
	}
}

function fail(id: number, work: Work, error: ApiError): void {
	// The appliance threw it away (404, or the whole did not match): only a new upload can help.
	if (work.url && [404, 410, 422].includes(error.status)) {
		const { url } = work;
		keep((list) => list.filter((k) => k.url !== url));
		work.url = undefined;
	}
	update(id, { state: 'failed', error, ...(work.url ? {} : { sent: 0 }) });
}

/** Waits, but no longer than until the browser says that it is online again. */
function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		const done = () => {
			clearTimeout(timer);
			window.removeEventListener('online', done);
			signal.removeEventListener('abort', done);
			resolve();
		};
		const timer = setTimeout(done, ms);
		window.addEventListener('online', done);
		signal.addEventListener('abort', done);
	});
}

/** A page that is closed while something is sent asks first. */
window.addEventListener('beforeunload', (e) => {
	if (uploads.value.some((u) => u.state === 'sending')) e.preventDefault();
});
