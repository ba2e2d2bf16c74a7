#include "domusd/routes.h"

#include <stdio.h>

#include "domusd/api/api.h"

#define NONE	PRIVILEGE_NONE
#define READ	PRIVILEGE_READ
#define OPERATE PRIVILEGE_OPERATE
#define ADMIN	PRIVILEGE_ADMIN

#define ACTION(name, handler)                                                                      \
	{                                                                                          \
		"POST", "/api/v1/domains/{name}/actions/" name, OPERATE, BODY_JSON_EMPTY,          \
			ROUTE_IDEMPOTENT, handler, NULL                                            \
	}

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

	{"OPTIONS", "/api/v1/uploads",          NONE,    BODY_NONE, 0, api_uploads_options, NULL},
	{"POST",   "/api/v1/uploads",           OPERATE, BODY_NONE, ROUTE_IDEMPOTENT, api_uploads_post, NULL},
	{"HEAD",   "/api/v1/uploads/{id}",      OPERATE, BODY_NONE, 0, api_upload_head, NULL},
	{"GET",    "/api/v1/uploads/{id}",      OPERATE, BODY_NONE, 0, api_upload_get, NULL},
	{"PATCH",  "/api/v1/uploads/{id}",      OPERATE, BODY_STREAM, 0, NULL, &api_upload_patch},
	{"DELETE", "/api/v1/uploads/{id}",      OPERATE, BODY_NONE, 0, api_upload_delete, NULL},
	{"GET",    "/api/v1/images",            READ,    BODY_NONE, 0, api_images_get, NULL},
	{"GET",    "/api/v1/images/{id}",       READ,    BODY_NONE, 0, api_image_get, NULL},
	{"DELETE", "/api/v1/images/{id}",       OPERATE, BODY_NONE, 0, api_image_delete, NULL},
	{"GET",    "/api/v1/volumes",           READ,    BODY_NONE, 0, api_volumes_get, NULL},
	{"POST",   "/api/v1/volumes",           OPERATE, BODY_JSON, ROUTE_IDEMPOTENT, api_volumes_post, NULL},
	{"GET",    "/api/v1/volumes/{id}",      READ,    BODY_NONE, 0, api_volume_get, NULL},
	{"DELETE", "/api/v1/volumes/{id}",      OPERATE, BODY_NONE, 0, api_volume_delete, NULL},
	{"GET",    "/api/v1/networks",          READ,    BODY_NONE, 0, api_networks_get, NULL},
	{"GET",    "/api/v1/networks/{id}",     READ,    BODY_NONE, 0, api_network_get, NULL},

	{"GET",    "/api/v1/devices",           READ,    BODY_NONE, 0, api_devices_get, NULL},
	{"GET",    "/api/v1/devices/{id}",      READ,    BODY_NONE, 0, api_device_get, NULL},
	{"PATCH",  "/api/v1/devices/{id}",      ADMIN,   BODY_MERGE, 0, api_device_patch, NULL},
	{"GET",    "/api/v1/devices/{id}/history", READ, BODY_NONE, 0, api_device_history_get, NULL},
	{"POST",   "/api/v1/assignments/plan",  OPERATE, BODY_JSON, 0, api_assignments_plan, NULL},
	{"POST",   "/api/v1/assignments/apply", OPERATE, BODY_JSON, ROUTE_IDEMPOTENT, api_assignments_apply, NULL},
	{"GET",    "/api/v1/alerts",            READ,    BODY_NONE, 0, api_alerts_get, NULL},

	{"GET",    "/api/v1/domains",           READ,    BODY_NONE, 0, api_domains_get, NULL},
	{"POST",   "/api/v1/domains",           OPERATE, BODY_JSON, ROUTE_IDEMPOTENT, api_domains_post, NULL},
	{"GET",    "/api/v1/domains/{name}",    READ,    BODY_NONE, 0, api_domain_get, NULL},
	{"PUT",    "/api/v1/domains/{name}",    OPERATE, BODY_JSON, 0, api_domain_put, NULL},
	{"PATCH",  "/api/v1/domains/{name}",    OPERATE, BODY_MERGE, 0, api_domain_patch, NULL},
	{"DELETE", "/api/v1/domains/{name}",    OPERATE, BODY_NONE, 0, api_domain_delete, NULL},
	ACTION("start", api_domain_start),
	ACTION("shutdown", api_domain_shutdown),
	ACTION("reboot", api_domain_reboot),
	ACTION("kill", api_domain_kill),
	ACTION("pause", api_domain_pause),
	ACTION("resume", api_domain_resume),
	{"GET",    "/api/v1/domains/{name}/console/log",     READ,    BODY_NONE, 0, api_console_log_get, NULL},
	{"POST",   "/api/v1/domains/{name}/console/tickets", OPERATE, BODY_JSON_EMPTY, 0, api_console_tickets_post, NULL},
	{"GET",    "/api/v1/domains/{name}/console",         NONE,    BODY_NONE, 0, api_console_get, NULL},

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
