// Resumable uploads: tus 1.0.0 with creation, checksum and termination (https://tus.io/protocols/resumable-upload).
// The file goes up in chunks, each with its SHA-256, so that a damaged chunk is refused and sent again.
// XMLHttpRequest, because fetch cannot report the progress of a request's body.
import { pathOf, type ImageKind } from './calls';
import { reportStatus, unsafeHeaders } from './http';
import { type ApiError, networkError, problemOf } from './problem';

const TUS = { 'Tus-Resumable': '1.0.0' };
const CHUNK = 4 * 1024 * 1024;
/** No byte moved for so long: the connection is dead, whatever the browser believes. */
const STALL_MS = 60_000;

interface Reply {
	status: number;
	header: (name: string) => string | null;
	text: string;
}

interface Sending {
	body?: Blob | ArrayBuffer;
	headers?: Record<string, string>;
	signal: AbortSignal;
	onSent?: (bytes: number) => void;
}

function send(method: string, url: string, sending: Sending): Promise<Reply> {
	return new Promise((resolve, reject) => {
		if (sending.signal.aborted) return reject(new DOMException('aborted', 'AbortError'));
		const xhr = new XMLHttpRequest();
		xhr.open(method, url);
		for (const [name, value] of Object.entries({ ...TUS, ...unsafeHeaders(), ...sending.headers }))
			xhr.setRequestHeader(name, value);
		let stall = setTimeout(() => xhr.abort(), STALL_MS);
		const abort = () => xhr.abort();
		const settled = () => {
			clearTimeout(stall);
			sending.signal.removeEventListener('abort', abort);
		};
		sending.signal.addEventListener('abort', abort);
		xhr.upload.onprogress = (e) => {
			clearTimeout(stall);
			stall = setTimeout(() => xhr.abort(), STALL_MS);
			sending.onSent?.(e.loaded);
		};
		xhr.onload = () => {
			settled();
			reportStatus(xhr.status);
			if (xhr.status >= 200 && xhr.status < 300)
				resolve({
					status: xhr.status,
					header: (name) => xhr.getResponseHeader(name),
					text: xhr.responseText,
				});
			else reject(problemOf(xhr.status, xhr.responseText, xhr.getResponseHeader('Retry-After')));
		};
		xhr.onerror = () => {
			settled();
			reject(networkError());
		};
		xhr.onabort = () => {
			settled();
			reject(sending.signal.aborted ? new DOMException('aborted', 'AbortError') : networkError());
		};
		xhr.send(sending.body ?? null);
	});
}

function base64(bytes: Uint8Array): string {
	return btoa(String.fromCharCode(...bytes));
}

/** Begins an upload; returns its path. */
export async function createUpload(
	file: Blob,
	name: string,
	kind: ImageKind,
	signal: AbortSignal,
): Promise<string> {
	const text = new TextEncoder();
	const metadata = Object.entries({ name, kind })
		.map(([key, value]) => `${key} ${base64(text.encode(value))}`)
		.join(',');
	const reply = await send('POST', pathOf('createUpload'), {
		headers: { 'Upload-Length': String(file.size), 'Upload-Metadata': metadata },
		signal,
	});
	return new URL(reply.header('Location') ?? '', location.origin).pathname;
}

/** How much the appliance has of an upload. */
export async function uploadOffset(url: string, signal: AbortSignal): Promise<number> {
	const reply = await send('HEAD', url, { signal });
	return Number(reply.header('Upload-Offset'));
}

/** Sends the chunk that begins at `offset`; returns the new offset. */
export async function sendChunk(
	url: string,
	file: Blob,
	offset: number,
	signal: AbortSignal,
	onOffset: (offset: number) => void,
): Promise<number> {
	const chunk = await file.slice(offset, offset + CHUNK).arrayBuffer();
	const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', chunk));
	const reply = await send('PATCH', url, {
		body: chunk,
		headers: {
			'Content-Type': 'application/offset+octet-stream',
			'Upload-Offset': String(offset),
			'Upload-Checksum': `sha256 ${base64(digest)}`,
		},
		signal,
		onSent: (bytes) => onOffset(offset + Math.min(bytes, chunk.byteLength)),
	});
	return Number(reply.header('Upload-Offset'));
}

/** How often and how soon a locked upload is asked for again: a dead writer loses it after 10 s. */
const UNLOCK = { tries: 20, ms: 1000 };

/** Gives an upload up; one that is gone already is no error. */
export async function deleteUpload(url: string): Promise<void> {
	for (let tries = UNLOCK.tries; ; tries--) {
		try {
			await send('DELETE', url, { signal: new AbortController().signal });
			return;
		} catch (e) {
			const { status } = e as ApiError;
			if (status === 404) return;
			// The request whose connection was cut may still hold it.
			if (status !== 423 || tries === 0) throw e;
			await new Promise((resolve) => setTimeout(resolve, UNLOCK.ms));
		}
	}
}

/** Whether trying again can help: a cut connection, a busy appliance, a damaged or misplaced chunk. */
export function isRetryable(error: ApiError): boolean {
	return [0, 409, 423, 429, 460, 502, 503, 504].includes(error.status);
}

/**
 * A name for a file's content, cheap enough for any size: SHA-256 over its length and its two ends.
 * It tells whether a file picked after a reload is the one that was being sent.
 */
export async function fingerprint(file: Blob): Promise<string> {
	const end = 256 * 1024;
	const parts = new Blob([
		String(file.size),
		file.slice(0, end),
		file.slice(Math.max(0, file.size - end)),
	]);
	const digest = await crypto.subtle.digest('SHA-256', await parts.arrayBuffer());
	return base64(new Uint8Array(digest));
}
