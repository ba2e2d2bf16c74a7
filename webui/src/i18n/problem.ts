// An error in words for a person, and its field problems by the form's field.
import { ApiError } from '../api/calls';
import { t } from '.';

export function errorText(error: unknown): string {
	if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
	if (error.code === 'network') return t.errors.network;
	if (error.status === 429) return t.errors.tooMany(error.retryAfter ?? 1);
	const known = t.problems[error.code];
	if (known) return known;
	if (error.status === 503) return t.errors.unavailable;
	if (error.status >= 500 && error.status !== 507) {
		const id = error.body.request_id;
		return t.errors.internal + (typeof id === 'string' ? ` ${t.errors.request(id)}.` : '');
	}
	if (error.fields.length) return t.errors.fields;
	if (error.title || error.body.detail) return error.message;
	return error.status === 403 ? t.errors.forbidden : t.errors.unknown(error.status);
}

/** Problems by pointer (`/boot/kernel`), so that a form can show each beside its field. */
export function fieldErrors(error: unknown): Record<string, string> {
	if (!(error instanceof ApiError)) return {};
	return Object.fromEntries(error.fields.map((f) => [f.pointer, sentence(f.detail)]));
}

/** Those problems that no field of the form stands for. */
export function otherErrors(error: unknown, shown: (pointer: string) => boolean): string[] {
	if (!(error instanceof ApiError)) return [];
	return error.fields.filter((f) => !shown(f.pointer)).map((f) => `${f.pointer}: ${f.detail}`);
}

function sentence(text: string): string {
	const first = text.charAt(0).toUpperCase() + text.slice(1);
	return /[.!?]$/.test(first) ? first : `${first}.`;
}
