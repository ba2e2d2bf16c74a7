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

/* uploads.c */
void api_uploads_options(struct request *r);
void api_uploads_post(struct request *r);
void api_upload_get(struct request *r);
void api_upload_head(struct request *r);
void api_upload_delete(struct request *r);
extern const struct request_stream api_upload_patch;
/* images.c, volumes.c, networks.c */
void api_images_get(struct request *r);
void api_image_get(struct request *r);
void api_image_delete(struct request *r);
void api_volumes_get(struct request *r);
void api_volumes_post(struct request *r);
void api_volume_get(struct request *r);
void api_volume_delete(struct request *r);
void api_networks_get(struct request *r);
void api_network_get(struct request *r);
/* devices.c, assignments.c, alerts.c */
void api_devices_get(struct request *r);
void api_device_get(struct request *r);
void api_device_patch(struct request *r);
void api_device_history_get(struct request *r);
void api_assignments_plan(struct request *r);
void api_assignments_apply(struct request *r);
void api_alerts_get(struct request *r);
/* domains.c, actions.c, console.c */
void api_domains_get(struct request *r);
void api_domains_post(struct request *r);
void api_domain_get(struct request *r);
void api_domain_put(struct request *r);
void api_domain_patch(struct request *r);
void api_domain_delete(struct request *r);
void api_domain_start(struct request *r);
void api_domain_shutdown(struct request *r);
void api_domain_reboot(struct request *r);
void api_domain_kill(struct request *r);
void api_domain_pause(struct request *r);
void api_domain_resume(struct request *r);
void api_console_log_get(struct request *r);
void api_console_tickets_post(struct request *r);
void api_console_get(struct request *r);

#endif
