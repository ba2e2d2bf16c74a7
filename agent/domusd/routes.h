#ifndef DOMUS_DOMUSD_ROUTES_H
#define DOMUS_DOMUSD_ROUTES_H

/*
 * The REST API as data: routes.c holds the one table. No route without a privilege. A test compares
 * it (domusd
 * --print-routes) with api/openapi.yaml.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domusd/actor.h"
#include "domusd/http.h"

typedef void (*route_handler)(struct request *r);

enum route_body {
	BODY_NONE, /* none; Content-Length over 0 or a chunked body is 413 */
	BODY_JSON, /* a JSON object, required: application/json, at most ROUTE_JSON_MAX bytes */
	BODY_JSON_EMPTY, /* none, or the empty object; anything in it is 422: actions */
	BODY_MERGE,	 /* application/merge-patch+json, otherwise as BODY_JSON */
	BODY_STREAM,	 /* in pieces to route.stream, which checks the media type itself */
};

#define ROUTE_JSON_MAX	 65536
#define ROUTE_JSON_DEPTH 16
#define ROUTE_PARAMS_MAX 2
#define ROUTE_PARAM_SIZE 128 /* of a decoded path parameter, with its NUL; a longer one is 404 */

#define ROUTE_IDEMPOTENT                                                                           \
	1u /* POST that honours Idempotency-Key; its handler ends with request_commit() */
#define ROUTE_STREAMS 4u /* GET that never ends by itself: HEAD is not answered */
#define ROUTE_DURING_START                                                                         \
	2u /* answers before domusd is ready: everything else is 503 until then */

struct route {
	const char *method;  /* GET also answers HEAD unless a HEAD route stands before it */
	const char *pattern; /* "/api/v1/domains/{name}/actions/start"; a {parameter} is one whole
				segment */
	enum privilege privilege;
	enum route_body body;
	unsigned flags;
	route_handler handler;		     /* for BODY_STREAM NULL */
	const struct request_stream *stream; /* for BODY_STREAM */
};

extern const struct route routes[];
extern const size_t routes_count;

struct route_match {
	const struct route *route; /* NULL: no such path, or not with this method */
	bool path_known;	   /* another method would do: `allow` says which */
	bool head;		   /* HEAD answered by a GET route */
	size_t param_count;
	const char *names[ROUTE_PARAMS_MAX]; /* into the pattern, up to '}' */
	char values[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE];
	char allow[64]; /* "GET, HEAD, POST" */
};

/*
 * Finds the route of a method and a raw (not decoded) path. Dots, empty segments, encoded slashes
 * and NUL, and what is not UTF-8 match nothing. Pure; fuzzed.
 */
void route_find(const struct route *table, size_t count, const char *method, const char *path,
		struct route_match *match);

/* "METHOD path privilege" lines, for --print-routes. */
void routes_print(void);

#endif
