#ifndef DOMUS_COMMON_ERROR_H
#define DOMUS_COMMON_ERROR_H

/*
 * One error type for the whole agent. A function that can fail takes `struct error *` as its last
 * argument and returns negative (or NULL) after filling it; it says what failed in a sentence that
 * a user can read. Only error.c knows which HTTP status an error becomes (RFC 9457 problem
 * details), so no other file chooses a status.
 */

/* Stable names, which clients match on: X(enumerator, "code", HTTP status, "title"). */
#define ERROR_CODES(X)                                                                             \
	X(ERROR_INTERNAL, "internal.error", 500, "Internal error")                                 \
	X(ERROR_PARAMETER, "parameter.invalid", 400, "Malformed parameter")                        \
	X(ERROR_HEADER, "header.invalid", 400, "Malformed header field")                           \
	X(ERROR_CURSOR, "cursor.invalid", 400, "Not a cursor of this list")                        \
	X(ERROR_REQUEST_MALFORMED, "request.malformed", 400, "Malformed request")                  \
	X(ERROR_JSON_SYNTAX, "json.invalid", 400, "The body is not valid JSON")                    \
	X(ERROR_JSON_UTF8, "json.not_utf8", 400, "The body is not UTF-8")                          \
	X(ERROR_JSON_DUPLICATE, "json.duplicate_key", 400, "A key stands twice")                   \
	X(ERROR_JSON_DEPTH, "json.too_deep", 400, "Nested too deeply")                             \
	X(ERROR_UPLOAD_METADATA, "upload.metadata_invalid", 400, "Malformed upload metadata")      \
	X(ERROR_AUTH_REQUIRED, "auth.required", 401, "Log in first")                               \
	X(ERROR_AUTH_FAILED, "session.wrong_credentials", 401, "Wrong user name or password")      \
	X(ERROR_AUTH_FORBIDDEN, "auth.forbidden", 403, "Not allowed")                              \
	X(ERROR_AUTH_CSRF, "csrf.missing", 403, "Missing or wrong CSRF token")                     \
	X(ERROR_AUTH_ORIGIN, "origin.refused", 403, "Foreign origin")                              \
	X(ERROR_CLAIM_CODE, "claim.code_wrong", 403, "Wrong claim code")                           \
	X(ERROR_CONSOLE_TICKET, "console.ticket_invalid", 403, "Not a valid ticket")               \
	X(ERROR_NOT_FOUND, "path.unknown", 404, "No such path")                                    \
	X(ERROR_SESSION_NONE, "session.none", 404, "No session")                                   \
	X(ERROR_TOKEN_UNKNOWN, "token.unknown", 404, "No such token")                              \
	X(ERROR_UPLOAD_UNKNOWN, "upload.unknown", 404, "No such upload")                           \
	X(ERROR_IMAGE_UNKNOWN, "image.unknown", 404, "No such image")                              \
	X(ERROR_VOLUME_UNKNOWN, "volume.unknown", 404, "No such volume")                           \
	X(ERROR_NETWORK_UNKNOWN, "network.unknown", 404, "No such network")                        \
	X(ERROR_DOMAIN_UNKNOWN, "domain.unknown", 404, "No such domain")                           \
	X(ERROR_OPERATION_UNKNOWN, "operation.unknown", 404, "No such operation")                  \
	X(ERROR_DEVICE_UNKNOWN, "device.unknown", 404, "No such device")                           \
	X(ERROR_METHOD, "method.not_allowed", 405, "Method not allowed")                           \
	X(ERROR_STATE, "state.conflict", 409, "Not possible in this state")                        \
	X(ERROR_EXISTS, "resource.exists", 409, "Already exists")                                  \
	X(ERROR_IN_USE, "resource.in_use", 409, "In use")                                          \
	X(ERROR_BUSY, "domain.busy", 409, "Another operation is in progress")                      \
	X(ERROR_CLAIM_DONE, "claim.already_claimed", 409, "Already claimed")                       \
	X(ERROR_OFFSET, "upload.wrong_offset", 409, "Upload offset does not match")                \
	X(ERROR_IMAGE_IN_USE, "image.in_use", 409, "The image is in use")                          \
	X(ERROR_VOLUME_EXISTS, "volume.exists", 409, "The volume exists already")                  \
	X(ERROR_VOLUME_IN_USE, "volume.in_use", 409, "The volume is in use")                       \
	X(ERROR_DOMAIN_EXISTS, "domain.exists", 409, "The domain exists already")                  \
	X(ERROR_DOMAIN_RUNNING, "domain.running", 409, "The domain is running")                    \
	X(ERROR_DOMAIN_NOT_RUNNING, "domain.not_running", 409, "The domain is not running")        \
	X(ERROR_DOMAIN_PAUSED, "domain.paused", 409, "The domain is paused")                       \
	X(ERROR_DEVICE_NEEDED, "device.needed", 409, "The appliance itself needs the device")      \
	X(ERROR_DEVICE_GROUP, "device.group", 409, "These devices move together")                  \
	X(ERROR_DEVICE_IN_USE, "device.in_use", 409, "The device is in use")                       \
	X(ERROR_PLAN_CONFLICT, "plan.conflict", 409, "The plan cannot be carried out")             \
	X(ERROR_RAIL_UNSUPPORTED, "rail.unsupported", 409, "The power cannot be switched")         \
	X(ERROR_NOT_CANCELLABLE, "operation.not_cancellable", 409, "Cannot be cancelled")          \
	X(ERROR_IDEMPOTENCY_BUSY, "idempotency.in_progress", 409, "The first request is running")  \
	X(ERROR_MEMORY, "memory.insufficient", 409, "Not enough memory")                           \
	X(ERROR_INTERRUPTED, "operation.interrupted", 409, "Interrupted")                          \
	X(ERROR_CANCELLED, "operation.cancelled", 409, "Cancelled")                                \
	X(ERROR_GONE, "resource.gone", 410, "Gone")                                                \
	X(ERROR_PLAN_GONE, "plan.gone", 410, "The plan was used, or is too old")                   \
	X(ERROR_PLAN_STALE, "plan.stale", 412, "Something has changed since")                      \
	X(ERROR_REVISION_STALE, "revision.stale", 412, "Changed by somebody else")                 \
	X(ERROR_TUS_VERSION, "tus.version", 412, "Unsupported tus version")                        \
	X(ERROR_BODY_TOO_LARGE, "body.too_large", 413, "Body too large")                           \
	X(ERROR_UPLOAD_TOO_LARGE, "upload.too_large", 413, "Upload too large")                     \
	X(ERROR_URI_TOO_LONG, "path.too_long", 414, "Path too long")                               \
	X(ERROR_MEDIA_TYPE, "body.wrong_type", 415, "Unsupported media type")                      \
	X(ERROR_RANGE, "console.range", 416, "Range not satisfiable")                              \
	X(ERROR_FIELD, "validation.failed", 422, "Invalid field")                                  \
	X(ERROR_FIELD_UNKNOWN, "validation.failed", 422, "Invalid field")                          \
	X(ERROR_FIELD_MISSING, "validation.failed", 422, "Invalid field")                          \
	X(ERROR_REFERENCE, "validation.failed", 422, "Invalid field")                              \
	X(ERROR_KERNEL_FORMAT, "validation.failed", 422, "Invalid field")                          \
	X(ERROR_IDEMPOTENCY_MISMATCH, "idempotency.key_reused", 422,                               \
	  "Key used for another request")                                                          \
	X(ERROR_UPLOAD_SHA256, "upload.wrong_sha256", 422, "The file is not what was promised")    \
	X(ERROR_UPLOAD_LOCKED, "upload.locked", 423, "Another request writes")                     \
	X(ERROR_UPGRADE, "console.upgrade_required", 426, "This is a WebSocket")                   \
	X(ERROR_REVISION_REQUIRED, "revision.missing", 428, "If-Match is required")                \
	X(ERROR_RATE, "rate.limited", 429, "Too many requests")                                    \
	X(ERROR_HEADERS_TOO_LARGE, "headers.too_large", 431, "Headers too large")                  \
	X(ERROR_CHECKSUM, "upload.wrong_checksum", 460, "Checksum mismatch")                       \
	X(ERROR_HYPERVISOR, "domain.start_failed", 502, "The hypervisor refused")                  \
	X(ERROR_RAIL_FAULT, "rail.fault", 502, "The power does not follow")                        \
	X(ERROR_SHUTDOWN_TIMEOUT, "domain.shutdown_timeout", 504, "The guest did not shut down")   \
	X(ERROR_UNAVAILABLE, "keeper.unavailable", 503, "Temporarily unavailable")                 \
	X(ERROR_STORAGE, "storage.full", 507, "Not enough storage")

enum error_code {
	ERROR_NONE,
#define X(name, code, status, title) name,
	ERROR_CODES(X)
#undef X
		ERROR_CODE_COUNT
};

struct error {
	enum error_code code;
	int errnum;	      /* errno behind it, or 0; logged, never sent to a client */
	unsigned retry_after; /* seconds, for 429 and 503; 0 leaves the header out */
	const char *rule;     /* static: errors[].code of openapi.yaml ("length"), or NULL: what the
				 code implies */
	char pointer[128];    /* JSON pointer (RFC 6901) of the offending field, or "" */
	char detail[320];     /* one English sentence for the user */
};

/* Fills *e (which may be NULL: the caller does not care) and returns -1, for `return
 * error_set(...)`. */
int error_set(struct error *e, enum error_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with the field it is about. */
int error_set_at(struct error *e, enum error_code code, const char *pointer, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));
/* ERROR_FIELD that broke `rule`, a static string: "type", "length", "range", "pattern", "enum",
 * "duplicate", "kind" … */
int error_set_rule(struct error *e, const char *rule, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The same with the errno that caused it; ENOSPC and EDQUOT turn ERROR_INTERNAL into ERROR_STORAGE.
 */
int error_set_errno(struct error *e, enum error_code code, int errnum, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#ifdef __clang_analyzer__
/* clang-tidy sees one file at a time: this tells it that they return -1, or it follows paths that do not exist. */
#define error_set(...)	     (error_set(__VA_ARGS__), -1)
#define error_set_at(...)    (error_set_at(__VA_ARGS__), -1)
#define error_set_rule(...)  (error_set_rule(__VA_ARGS__), -1)
#define error_set_errno(...) (error_set_errno(__VA_ARGS__), -1)
#endif

/* errors[].code for an error with a pointer: e->rule, or what its code implies. Never NULL. */
const char *error_rule(const struct error *e);

/* Static strings and numbers of a code; an unknown code reads as ERROR_INTERNAL. */
const char *error_name(enum error_code code);
const char *error_title(enum error_code code);
unsigned error_http_status(enum error_code code);

#endif
