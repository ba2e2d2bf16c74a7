#ifndef DOMUS_COMMON_ERROR_H
#define DOMUS_COMMON_ERROR_H

/*
 * One error type for the whole agent. A function that can fail takes `struct error *` as its last argument and returns
 * negative (or NULL) after filling it; it says what failed in a sentence that a user can read. Only error.c knows which
 * HTTP status an error becomes (RFC 9457 problem details), so no other file chooses a status.
 */

/* Stable names, which clients match on: X(enumerator, "code", HTTP status, "title"). */
#define ERROR_CODES(X)                                                                             \
	X(ERROR_INTERNAL, "internal", 500, "Internal error")                                       \
	X(ERROR_REQUEST_MALFORMED, "request.malformed", 400, "Malformed request")                  \
	X(ERROR_JSON_SYNTAX, "json.syntax", 400, "The body is not valid JSON")                     \
	X(ERROR_AUTH_REQUIRED, "auth.required", 401, "Log in first")                               \
	X(ERROR_AUTH_FAILED, "auth.failed", 401, "Wrong user name or password")                    \
	X(ERROR_AUTH_FORBIDDEN, "auth.forbidden", 403, "Not allowed")                              \
	X(ERROR_AUTH_CSRF, "auth.csrf", 403, "Missing or wrong CSRF token")                        \
	X(ERROR_AUTH_ORIGIN, "auth.origin", 403, "Foreign origin")                                 \
	X(ERROR_CLAIM_CODE, "claim.code_wrong", 403, "Wrong claim code")                           \
	X(ERROR_CLAIM_DONE, "claim.already_claimed", 409, "Already claimed")                       \
	X(ERROR_NOT_FOUND, "not_found", 404, "Not found")                                          \
	X(ERROR_METHOD, "method.not_allowed", 405, "Method not allowed")                           \
	X(ERROR_STATE, "state.conflict", 409, "Not possible in this state")                        \
	X(ERROR_EXISTS, "resource.exists", 409, "Already exists")                                  \
	X(ERROR_IN_USE, "resource.in_use", 409, "In use")                                          \
	X(ERROR_BUSY, "operation.in_progress", 409, "Another operation is in progress")            \
	X(ERROR_OFFSET, "upload.offset_mismatch", 409, "Upload offset does not match")             \
	X(ERROR_IDEMPOTENCY_BUSY, "idempotency.in_progress", 409, "The first request is running")  \
	X(ERROR_MEMORY, "memory.insufficient", 409, "Not enough memory")                           \
	X(ERROR_INTERRUPTED, "operation.interrupted", 409, "Interrupted")                          \
	X(ERROR_CANCELLED, "operation.cancelled", 409, "Cancelled")                                \
	X(ERROR_GONE, "gone", 410, "Gone")                                                         \
	X(ERROR_REVISION_STALE, "revision.stale", 412, "Changed by somebody else")                 \
	X(ERROR_TUS_VERSION, "upload.version", 412, "Unsupported tus version")                     \
	X(ERROR_BODY_TOO_LARGE, "body.too_large", 413, "Body too large")                           \
	X(ERROR_MEDIA_TYPE, "media_type.unsupported", 415, "Unsupported media type")               \
	X(ERROR_RANGE, "range.not_satisfiable", 416, "Range not satisfiable")                      \
	X(ERROR_FIELD, "field.invalid", 422, "Invalid field")                                      \
	X(ERROR_FIELD_UNKNOWN, "field.unknown", 422, "Unknown field")                              \
	X(ERROR_FIELD_MISSING, "field.missing", 422, "Missing field")                              \
	X(ERROR_REFERENCE, "reference.unknown", 422, "Refers to something that does not exist")    \
	X(ERROR_KERNEL_FORMAT, "image.not_a_kernel", 422, "Not an arm64 kernel")                   \
	X(ERROR_IDEMPOTENCY_MISMATCH, "idempotency.mismatch", 422, "Key used for another request") \
	X(ERROR_REVISION_REQUIRED, "revision.required", 428, "If-Match is required")               \
	X(ERROR_RATE, "rate.limited", 429, "Too many requests")                                    \
	X(ERROR_HEADERS_TOO_LARGE, "headers.too_large", 431, "Headers too large")                  \
	X(ERROR_CHECKSUM, "upload.checksum", 460, "Checksum mismatch")                             \
	X(ERROR_HYPERVISOR, "hypervisor.failed", 502, "The hypervisor refused")                    \
	X(ERROR_UNAVAILABLE, "unavailable", 503, "Temporarily unavailable")                        \
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
	int errnum;           /* errno behind it, or 0; logged, never sent to a client */
	unsigned retry_after; /* seconds, for 429 and 503; 0 leaves the header out */
	char pointer[128];    /* JSON pointer (RFC 6901) of the offending field, or "" */
	char detail[320];     /* one English sentence for the user */
};

/* Fills *e (which may be NULL: the caller does not care) and returns -1, for `return error_set(...)`. */
int error_set(struct error *e, enum error_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with the field it is about. */
int error_set_at(struct error *e, enum error_code code, const char *pointer, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));
/* The same with the errno that caused it; ENOSPC and EDQUOT turn ERROR_INTERNAL into ERROR_STORAGE. */
int error_set_errno(struct error *e, enum error_code code, int errnum, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Static strings and numbers of a code; an unknown code reads as ERROR_INTERNAL. */
const char *error_name(enum error_code code);
const char *error_title(enum error_code code);
unsigned error_http_status(enum error_code code);

#endif
