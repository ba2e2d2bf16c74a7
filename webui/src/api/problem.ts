// RFC 9457 problem documents as the appliance sends them, and the failures of the network itself.

export interface FieldProblem {
	/** JSON Pointer (RFC 6901) to the member of the request that is wrong. */
	pointer: string;
	detail: string;
	code?: string;
}

export class ApiError extends Error {
	/** HTTP status; 0 when no answer came at all. */
	readonly status: number;
	/** Stable, machine-readable name such as `revision.stale`; empty when there is none. */
	readonly code: string;
	readonly title: string;
	readonly fields: FieldProblem[];
	/** Seconds to wait, from Retry-After. */
	readonly retryAfter: number | undefined;
	readonly body: Record<string, unknown>;

	constructor(status: number, body: Record<string, unknown>, retryAfter?: number) {
		const title = typeof body.title === 'string' ? body.title : '';
		const detail = typeof body.detail === 'string' ? body.detail : '';
		super(detail || title || `HTTP ${status}`);
		this.status = status;
		this.title = title;
		this.code = typeof body.code === 'string' ? body.code : '';
		this.fields = Array.isArray(body.errors) ? (body.errors as FieldProblem[]) : [];
		this.retryAfter = retryAfter;
		this.body = body;
	}
}

/** The connection failed before an answer came. */
export function networkError(): ApiError {
	return new ApiError(0, { code: 'network' });
}

/** Makes the error of an answer that is not 2xx; the body may be anything. */
export function problemOf(status: number, text: string, retryAfter: string | null): ApiError {
	let body: Record<string, unknown> = {};
	try {
		const parsed: unknown = JSON.parse(text);
		if (typeof parsed === 'object' && parsed !== null) body = parsed as Record<string, unknown>;
	} catch {
		// A proxy's HTML page says nothing a person could use; the status does.
	}
	const seconds = retryAfter === null ? NaN : Number(retryAfter);
	return new ApiError(status, body, Number.isFinite(seconds) ? seconds : undefined);
}
