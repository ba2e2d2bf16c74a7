#ifndef DOMUS_DOMUSD_HTTP_INTERNAL_H
#define DOMUS_DOMUSD_HTTP_INTERNAL_H

/* What the http_*.c files share. Nobody else includes it. */
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "domusd/http.h"
#include "domusd/http_server.h"
#include "domusd/routes.h"
#include "domusd/store_idempotency.h"

#define HTTP_HEADERS_MAX   32768 /* bytes of a request's header fields; past that 431 */
#define HTTP_URI_MAX	   4096
#define HTTP_REPLY_HEADERS 12
#define HTTP_DISCARD_MAX                                                                           \
	(64 << 20)	       /* of a refused body that is read to its end to be able to answer */
#define HTTP_CLASSES	     6 /* status / 100 */
#define HTTP_IDEMPOTENCY_MS  (INT64_C(24) * 3600 * 1000)
#define HTTP_REQUEST_ID_SIZE 24

struct http_asset;
struct http_credentials; /* a certificate and its key as GnuTLS holds them */
struct http_connection;

struct http_counters {
	atomic_ulong answers[HTTP_CLASSES];
	atomic_ulong microseconds;
};

struct http {
	struct http_options options;
	struct MHD_Daemon *daemon;
	int listen_fd;
	unsigned port;
	_Atomic(struct http_credentials *)
		credentials; /* older ones hang behind it: handshakes may use them */
	struct http_asset *assets;
	size_t asset_count;
	int webui_fd;
	struct http_counters *counters; /* one for each route, one for everything else */
	atomic_int active;		/* requests that are being answered */
	atomic_int stream_count, upgrade_count;
	int hangup_epoll, hangup_stop; /* sockets of those who wait; an eventfd among them */
	pthread_t hangup_thread;
	bool hangup_runs;
	/* Guards what follows, and the states of requests and streams; taken for moments only, last in the lock order
	 * (only libmicrohttpd's own come after it). */
	pthread_mutex_t mutex;
	bool stopping;
	struct request *deferred; /* suspended: deferred or held */
	struct request *keyed;	  /* with an Idempotency-Key, being answered */
	struct response_stream *streams;
	struct http_connection *connections; /* those that have not sent their request yet */
};

enum request_phase {
	PHASE_NEW,     /* headers are here */
	PHASE_BODY,    /* body is coming */
	PHASE_DISCARD, /* refused; the rest of the body is thrown away */
	PHASE_ANSWER,  /* the handler was called */
};

struct request_header {
	const char *name; /* static */
	char *value;
};

struct request {
	struct http *http;
	struct MHD_Connection *connection;
	atomic_int references; /* libmicrohttpd's and, while deferred, the handler's */
	enum request_phase phase;
	int64_t started_us;
	char id[HTTP_REQUEST_ID_SIZE];
	char *path;	   /* raw; query cut off */
	const char *query; /* raw, behind the '?', or NULL */
	const char *method;
	struct route_match match;
	struct principal principal;
	char *query_values[8]; /* decoded, on demand */
	int query_count;
	/* body */
	char *body;
	size_t body_size;
	int64_t discarded;
	json_t *json;
	bool held; /* write() took less: suspended until request_continue(); guarded by http->mutex */
	bool continued; /* request_continue() came before it was suspended; guarded likewise */
	bool suspended; /* in the present call of http_exchange_step(): then it must not answer; that thread's */
	/* answer; guarded by http->mutex once deferred */
	struct request_header headers[HTTP_REPLY_HEADERS];
	int header_count;
	struct MHD_Response *response;
	unsigned status;
	bool deferred, aborted;
	int fd; /* while deferred and not aborted */
	/* Idempotency-Key */
	char key[129];
	unsigned char key_hash[32];
	bool is_keyed;
	/* the handler's */
	void *context;
	void (*free_context)(void *context);
	struct response_stream *stream;		      /* its answer, not started */
	struct request *next, **previous;	      /* http->deferred */
	struct request *keyed_next, **keyed_previous; /* http->keyed */
};

/*
 * http_exchange.c: a request from its first line to the end of its answer. libmicrohttpd calls the three of one request one after
 * the other, with our struct http: begin with the raw target, before it decodes and splits it; step for the header fields, for
 * each piece of the body, and again when the request was suspended; end when it is done with the request.
 */
void *http_exchange_begin(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_exchange_step(void *context, struct MHD_Connection *connection,
				   const char *url, const char *method, const char *version,
				   const char *data, size_t *size, void **slot);
void http_exchange_end(void *context, struct MHD_Connection *connection, void **slot,
		       enum MHD_RequestTerminationCode why);
/* Lets go of one reference. */
void request_release(struct request *r);

/* http_check.c: everything that is known from the header fields. Fails the request, or leaves it for its body. */
void http_check(struct request *r);
/* http_auth.c: credential, CSRF token, Origin, privilege. 0 or -1. */
int http_authenticate(struct request *r, struct error *e);
/* http_body.c */
int http_body_append(struct request *r, const char *data, size_t size, struct error *e);
int http_body_parse(struct request *r, struct error *e);
/* http_idempotency.c: 0 go on, 1 answered, -1 error */
int http_idempotency_begin(struct request *r, struct error *e);
void http_idempotency_end(struct request *r);
int http_idempotency_put(struct request *r, struct store_tx *tx, unsigned status, const char *body,
			 struct error *e);
/* http_reply.c: the client on this socket has hung up: gives up its deferred request. http->mutex is held. */
void request_hangup(struct http *http, int fd);
/* http_reply.c: takes the response; any thread. */
void request_answer(struct request *r, unsigned status, struct MHD_Response *response);
const char *request_reply_header(const struct request *r, const char *name);
void http_common_headers(struct MHD_Response *response, const struct request *r);
/* http_request.c: the opaque form of a position in this list. */
#define HTTP_CURSOR_SIZE 160
void request_cursor_make(const struct request *r, const char *position,
			 char cursor[HTTP_CURSOR_SIZE]);
/* http_stream.c */
void http_streams_end(struct http *http);
/* The client on this socket has hung up: true when it has a stream. http->mutex is held. */
bool http_stream_hangup(struct http *http, int fd);
/* http_static.c: true when it answered. */
int http_static_load(struct http *http, const char *folder, struct error *e);
void http_static_free(struct http *http);
bool http_static_serve(struct request *r);
/* http_tls.c */
/* The callback for MHD_OPTION_HTTPS_CERT_CALLBACK. There is one server in a process: GnuTLS gives it no argument. */
void *http_certificate_callback(struct http *http);
void http_credentials_free(struct http *http);
/* http_guard.c: connections that do not send their request. */
void http_guard_notify(void *context, struct MHD_Connection *connection, void **socket_context,
		       enum MHD_ConnectionNotificationCode code);
void http_guard_request(struct MHD_Connection *connection);
/* http_hangup.c: clients that hang up. The thread runs from start to stop; free comes when no connection is left. */
int http_hangup_start(struct http *http, struct error *e);
void http_hangup_stop(struct http *http);
void http_hangup_free(struct http *http);
/* For each new connection, before its handshake. */
void http_hangup_connection(struct MHD_Connection *connection);
/*
 * From here to unwatch http_stream_hangup() and request_hangup() are called when the client hangs up, also when it has done
 * so before. Returns the socket. What they look for must be in its list; http->mutex may be held.
 */
int http_hangup_watch(struct http *http, struct MHD_Connection *connection);
void http_hangup_unwatch(struct http *http, int fd);
/* http_metrics.c */
void http_count(struct request *r, unsigned status);
void http_metrics_register(struct http *http);

#endif
