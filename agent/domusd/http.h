#ifndef DOMUS_DOMUSD_HTTP_H
#define DOMUS_DOMUSD_HTTP_H

/*
 * What a handler (api/<resource>.c) sees of HTTP. By the time it is called, http has checked
 * limits, path, method, credential, CSRF token, privilege, media type and, for JSON, syntax; see
 * routes.h. A handler runs on an HTTP thread, so it must not wait: a SQLite transaction and
 * page-cache file access are all it may do. It ends the request by exactly one of
 *   - request_reply*(), request_fail(), request_commit(), request_upgrade(): the answer;
 *   - request_defer(): the answer comes later, from whatever thread, by one of the same calls.
 *
 * After request_defer() only request_header_set(), request_etag_set() and the reply calls may be
 * used on the request, and after the reply call nothing: it may be gone. Copy what you need (the
 * principal, parameters) before deferring. When domusd shuts down, clients of deferred requests are
 * answered 503 at once, and who hangs up is given up at once; the late reply call is then harmless and still due.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "domusd/auth.h"
#include "domusd/store.h"

struct request;

/* ---- What was asked. Strings are borrowed and live as long as the request. ---- */

const char *request_method(const struct request *r);
/* The path as it came, without the query. */
const char *request_path(const struct request *r);
/* "{name}" of the route's pattern, percent-decoded and valid UTF-8 without control characters;
 * never NULL, never empty. */
const char *request_param(const struct request *r, const char *name);
/* ?name=, percent-decoded, or NULL (also when it cannot be decoded or stands there twice). */
const char *request_query(const struct request *r, const char *name);
/* ?name= as a number from min to max: *out, or `otherwise` when absent. ERROR_PARAMETER when it is
 * anything else. */
int request_query_integer(const struct request *r, const char *name, int64_t min, int64_t max,
			  int64_t otherwise, int64_t *out, struct error *e);
/* A header field by its name in any case, or NULL. */
const char *request_header(const struct request *r, const char *name);
/* Content-Length, or -1 for a chunked body. */
int64_t request_content_length(const struct request *r);
/* BODY_JSON: the body, an object; NULL only where the route allows none and none came. Borrowed. */
json_t *request_body(const struct request *r);
/* Who asks; with PRIVILEGE_NONE routes an anonymous one. The actor in it is for events, audit and
 * operations. */
const struct principal *request_principal(const struct request *r);
const struct actor *request_actor(const struct request *r);
/* Unguessable, in the answer's X-Request-Id, in problems, logs and audit. */
const char *request_id(const struct request *r);

/*
 * If-Match against the revision that the resource has now. 0; ERROR_REVISION_REQUIRED (428) without
 * the header, ERROR_REVISION_STALE (412) when it names others, `*` matches. Call it inside the
 * write transaction that then changes it.
 */
int request_if_match(const struct request *r, int64_t revision, struct error *e);
/* If-None-Match: true when the client has this revision already: then request_reply_not_modified().
 */
bool request_none_match(const struct request *r, int64_t revision);

/* ?limit and ?cursor of a list: `cursor` is the position that was given to request_reply_list() as next (made opaque
 * on its way out, checked on its way in), or "" to begin. */
struct page {
	int limit;
	char cursor[128];
};
int request_page(const struct request *r, struct page *page, struct error *e);

/* Yours, for the time of the request; freed (if set) once, when the request is over in whatever
 * way, on any thread. */
void request_context_set(struct request *r, void *context, void (*free_context)(void *context));
void *request_context(const struct request *r);

/* ---- Answers ---- */

/* Adds a header field to the answer that follows. value is copied; CR, LF and other control
 * characters are a bug of ours and end the process in tests. At most 12. */
void request_header_set(struct request *r, const char *name, const char *value);
/* ETag: "r<revision>" */
void request_etag_set(struct request *r, int64_t revision);
/* Location: <printf>, a path from the root. */
void request_location_set(struct request *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* JSON; takes the reference to body. NULL as body is memory gone: 500. */
void request_reply_json(struct request *r, unsigned status, json_t *body);
/* No body: 204, 304 … */
void request_reply_empty(struct request *r, unsigned status);
void request_reply_not_modified(struct request *r, int64_t revision);
/* {"items": items} with Link: rel="next" when next is not NULL; takes the reference to items. */
void request_reply_list(struct request *r, json_t *items, const char *next);
/* The same for a list with filters, which the next page needs too: "&kind=usb", checked words only, at most 128 bytes. */
void request_reply_list_of(struct request *r, json_t *items, const char *next, const char *filters);
/* size bytes copied; type is a whole Content-Type. */
void request_reply_data(struct request *r, unsigned status, const char *type, const void *data,
			size_t size);
/* size bytes of an open regular file from offset on; takes fd. */
void request_reply_file(struct request *r, unsigned status, const char *type, int fd,
			int64_t offset, int64_t size);
/* Problem details; the status and the Retry-After come from the error. A 500 is logged with
 * everything it knows. */
void request_fail(struct request *r, const struct error *e);

/*
 * The end of a handler of a ROUTE_IDEMPOTENT POST that changes something: remembers the answer
 * (status, Location, ETag, body) under the Idempotency-Key if there is one, in the same
 * transaction, commits, and replies, or replies with what failed. Headers must be set before. Takes
 * the reference to body; *tx is NULL afterwards. Also fine for any other mutation.
 */
void request_commit(struct request *r, struct store_tx **tx, unsigned status, json_t *body);

/* Suspends; the answer follows from any thread. Only inside a handler or a stream's finish(). */
void request_defer(struct request *r);

/*
 * One byte range of `Range` (RFC 9110 section 14) over `size` bytes: 1 and *first and *last, 0 when
 * there is no Range or one that must be ignored, -1 with ERROR_RANGE when nothing of it exists.
 * Pure; fuzzed.
 */
int http_range_parse(const char *header, int64_t size, int64_t *first, int64_t *last,
		     struct error *e);

/* ---- A body in pieces, to the service as it arrives ---- */

struct request_stream {
	/* The headers are here (`Expect: 100-continue` not yet answered). 0 to go on, or negative
	 * after request_fail(): no body is then read. Sets the request's context. Must not defer.
	 */
	int (*begin)(struct request *r);
	/*
	 * The next bytes, up to about 32 KiB. Returns how many were taken; fewer than size (0 too)
	 * means "not now": the client is held back until request_continue(), then the rest comes
	 * again. Negative after request_fail(): the answer is sent when the client has sent its
	 * body or 64 MiB more of it were thrown away, whichever is first.
	 */
	ssize_t (*write)(struct request *r, const void *data, size_t size);
	/* The body is complete: reply or defer. Not called when the connection broke: then only the
	 * context is freed. */
	void (*finish)(struct request *r);
};

/* From any thread, after write() took less than it was given. */
void request_continue(struct request *r);

/* ---- An answer in pieces, as it comes: server-sent events ---- */

struct response_stream;

struct response_source {
	/*
	 * Fills up to size bytes (at least 1 KiB). Returns how many; 0: nothing now, ask again
	 * after response_wake(); negative: the end, or cut it. Runs on an HTTP thread, without
	 * locks of http: may take locks of yours that are not held while response_wake() is called.
	 */
	ssize_t (*read)(void *context, char *buffer, size_t size);
	/* Once, when the stream is over. After it returned, response_wake() must not be called. */
	void (*closed)(void *context);
};

/*
 * Answers 200 with `type` and whatever the source gives. Returns the handle for response_wake(),
 * valid until closed() was called. read() is called only after this function has returned and the
 * handler too.
 */
struct response_stream *request_reply_stream(struct request *r, const char *type,
					     const struct response_source *source, void *context);
/* From any thread, cheap, as often as you like. */
void response_wake(struct response_stream *stream);

/* ---- WebSocket (RFC 6455 section 4.2): the handshake; frames are the caller's ---- */

struct upgrade;

/*
 * Checks Upgrade, Connection, Sec-WebSocket-Version and -Key (426 or 400 when they are wrong; then
 * opened() is never called but refused() is) and Origin (403 origin.refused), answers 101 and calls
 * opened() once on an HTTP thread, which must not block: fd is a stream socket in non-blocking mode
 * with the bytes after the handshake, `early` (may be empty) came before them. Do not close fd:
 * call upgrade_close() exactly once, from any thread, all of them before http_stop().
 */
void request_upgrade(struct request *r,
		     void (*opened)(void *context, struct upgrade *upgrade, int fd,
				    const void *early, size_t early_size),
		     void (*refused)(void *context), void *context);
void upgrade_close(struct upgrade *upgrade);

#endif
