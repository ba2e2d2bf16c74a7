#include "domusd/routes.h"

#include <stdio.h>

#include "domusd/api/api.h"

#define NONE	PRIVILEGE_NONE
#define READ	PRIVILEGE_READ
#define OPERATE PRIVILEGE_OPERATE
#define ADMIN	PRIVILEGE_ADMIN

/* clang-format off */
const struct route routes[] = {
	{"GET",    "/api",                      NONE,    BODY_NONE, ROUTE_DURING_START, api_root_get, NULL},
	{"GET",    "/api/v1/openapi.json",      NONE,    BODY_NONE, ROUTE_DURING_START, api_openapi_get, NULL},
	{"GET",    "/api/v1/ca.pem",            NONE,    BODY_NONE, ROUTE_DURING_START, api_ca_get, NULL},
	{"GET",    "/healthz",                  NONE,    BODY_NONE, ROUTE_DURING_START, api_healthz_get, NULL},
	{"GET",    "/readyz",                   NONE,    BODY_NONE, ROUTE_DURING_START, api_readyz_get, NULL},
	{"GET",    "/metrics",                  READ,    BODY_NONE, ROUTE_DURING_START, api_metrics_get, NULL},
	{"GET",    "/api/v1/system",            READ,    BODY_NONE, 0, api_system_get, NULL},

	{"POST",   "/api/v1/claim",             NONE,    BODY_JSON, 0, api_claim_post, NULL},
	{"POST",   "/api/v1/sessions",          NONE,    BODY_JSON, 0, api_sessions_post, NULL},
	{"GET",    "/api/v1/sessions/current",  READ,    BODY_NONE, 0, api_session_get, NULL},
	{"DELETE", "/api/v1/sessions/current",  READ,    BODY_NONE, 0, api_session_delete, NULL},
	{"GET",    "/api/v1/tokens",            ADMIN,   BODY_NONE, 0, api_tokens_get, NULL},
	{"POST",   "/api/v1/tokens",            ADMIN,   BODY_JSON, 0, api_tokens_post, NULL},
	{"DELETE", "/api/v1/tokens/{id}",       ADMIN,   BODY_NONE, 0, api_token_delete, NULL},

	/* ---- content's rows ---- */
	/* ---- end of content's rows ---- */

	{"GET",    "/api/v1/operations",        READ,    BODY_NONE, 0, api_operations_get, NULL},
	{"GET",    "/api/v1/operations/{id}",   READ,    BODY_NONE, 0, api_operation_get, NULL},
	{"DELETE", "/api/v1/operations/{id}",   OPERATE, BODY_NONE, 0, api_operation_delete, NULL},
	{"GET",    "/api/v1/events",            READ,    BODY_NONE, ROUTE_STREAMS, api_events_get, NULL},
};
/* clang-format on */
const size_t routes_count = sizeof(routes) / sizeof(routes[0]);

void routes_print(void)
{
	for (size_t i = 0; i < routes_count; i++)
		printf("%s %s %s\n", routes[i].method, routes[i].pattern,
		       privilege_name(routes[i].privilege));
}
