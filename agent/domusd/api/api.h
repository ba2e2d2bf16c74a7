#ifndef DOMUS_DOMUSD_API_API_H
#define DOMUS_DOMUSD_API_API_H

/* The handlers of the route table, in its order. Each api/<resource>.c includes this. */
#include "domusd/http.h"

/* root.c, health.c, openapi.c, system.c */
void api_root_get(struct request *r);
void api_openapi_get(struct request *r);
void api_ca_get(struct request *r);
void api_healthz_get(struct request *r);
void api_readyz_get(struct request *r);
void api_metrics_get(struct request *r);
void api_system_get(struct request *r);
/* claim.c, sessions.c, tokens.c */
void api_claim_post(struct request *r);
void api_sessions_post(struct request *r);
void api_session_get(struct request *r);
void api_session_delete(struct request *r);
void api_tokens_get(struct request *r);
void api_tokens_post(struct request *r);
void api_token_delete(struct request *r);
/* operations.c, events.c */
void api_operations_get(struct request *r);
void api_operation_get(struct request *r);
void api_operation_delete(struct request *r);
void api_events_get(struct request *r);

/* ---- content's: its prototypes stand below this line, its rows in the marked block of routes.c
 * ---- */

#endif
