// The one place that sends requests: session cookie, CSRF token, problem documents.
import { networkError, problemOf } from './problem';

let csrf = '';
let signedOut: () => void = () => undefined;

/** The token of the current session; sent on every request that changes something. */
export function setCsrfToken(token: string): void {
	csrf = token;
}

/** Called whenever the appliance answers 401: the session ended. */
export function onSignedOut(handler: () => void): void {
	signedOut = handler;
}

export interface Answer<T> {
	status: number;
	body: T;
	headers: Headers;
}

export interface Options {
	body?: unknown;
	ifMatch?: string;
	headers?: Record<string, string>;
	signal?: AbortSignal;
	/** A 401 is an answer here (logging in), not the end of the session. */
	anonymous?: boolean;
}

/** Headers every request that changes something carries. */
export function unsafeHeaders(): Record<string, string> {
	return csrf ? { 'X-CSRF-Token': csrf } : {};
}

/** Tells the rest of the UI about an ended session. */
export function reportStatus(status: number): void {
	if (status === 401) signedOut();
}

export async function request<T>(
	method: string,
	path: string,
	options: Options = {},
): Promise<Answer<T>> {
	const headers: Record<string, string> = { Accept: 'application/json', ...options.headers };
	if (method !== 'GET' && method !== 'HEAD') Object.assign(headers, unsafeHeaders());
	if (options.ifMatch !== undefined) headers['If-Match'] = options.ifMatch;
	let body: string | undefined;
	if (options.body !== undefined) {
		headers['Content-Type'] =
			method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
		body = JSON.stringify(options.body);
	}
	let response: Response;
	let text: string;
	try {
		response = await fetch(path, {
			method,
			headers,
			body,
			credentials: 'same-origin',
			cache: 'no-store',
			redirect: 'error',
			signal: options.signal,
		});
		text = await response.text();
	} catch (e) {
		if (e instanceof DOMException && e.name === 'AbortError') throw e;
		throw networkError();
	}
	if (!response.ok) {
		if (!options.anonymous) reportStatus(response.status);
		throw problemOf(response.status, text, response.headers.get('Retry-After'));
	}
	const parsed: unknown = text === '' ? undefined : JSON.parse(text);
	return { status: response.status, body: parsed as T, headers: response.headers };
}
