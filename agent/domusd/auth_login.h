#ifndef DOMUS_DOMUSD_AUTH_LOGIN_H
#define DOMUS_DOMUSD_AUTH_LOGIN_H

/* The two ways in: claiming the appliance and logging in. For api/claim and api/sessions. */
#include "domusd/auth_service.h"

/* Called once, on the worker or at once, with the grant or the error. Both end with the call. */
typedef void (*auth_done)(void *context, const struct auth_grant *grant, const struct error *e);

/* The first administrator and his token `claim` (90 days). actor: address and request id. */
void auth_claim(struct auth *auth, const char *code, const char *username, const char *password,
		const struct actor *actor, auth_done done, void *context);
/* A session. ERROR_AUTH_FAILED after the same time whether name or password was wrong; ERROR_RATE. */
void auth_login(struct auth *auth, const char *username, const char *password,
		const struct actor *actor, auth_done done, void *context);

#endif
