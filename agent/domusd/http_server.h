#ifndef DOMUS_DOMUSD_HTTP_SERVER_H
#define DOMUS_DOMUSD_HTTP_SERVER_H

/* The server itself: libmicrohttpd with four epoll threads and TLS 1.3, its limits, the dashboard's files. For main.c. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "domusd/routes.h"

struct http;

struct http_options {
	const char *
		listen; /* "PORT", "ADDRESS:PORT" or "[ADDRESS]:PORT"; port 0: any; no address: all, IPv6 and IPv4 */
	const char *webui;		       /* folder of the dashboard, or NULL */
	bool tls12;			       /* also TLS 1.2 */
	const char *certificate_pem, *key_pem; /* copied */
	const struct route *routes;
	size_t route_count;
	struct store *store;
	struct auth *auth;
	const atomic_bool *ready; /* false: only routes of ROUTE_DURING_START are answered */
};

/* Begins to answer. */
int http_start(const struct http_options *options, struct http **out, struct error *e);
unsigned http_port(const struct http *http);
/* New connections get this certificate; those that stand go on. */
int http_certificate_set(struct http *http, const char *certificate_pem, const char *key_pem,
			 struct error *e);
/*
 * No new connections; deferred requests are answered 503 and streams end; what is being answered may take `grace_ms`; then
 * everything is closed. Upgrades must have been closed before. NULL is fine.
 */
void http_stop(struct http *http, int grace_ms);
/* After http_stop(), when nobody holds a deferred request any more. NULL is fine. */
void http_free(struct http *http);

/* For the ticker: cuts connections that are slow to send a request (5 s) ; remembered Idempotency-Keys (60 s). */
void http_tick(void *http);
void http_idempotency_tick(void *http);

#endif
