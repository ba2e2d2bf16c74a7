#ifndef DOMUS_DOMUSD_AUTH_TOKEN_H
#define DOMUS_DOMUSD_AUTH_TOKEN_H

/* A user's tokens for scripts. For api/tokens. */
#include "domusd/auth_service.h"

int auth_token_create(struct auth *auth, const struct principal *principal, const char *name,
		      int days, struct auth_grant *grant, struct error *e);
/* ERROR_TOKEN_UNKNOWN when it is not the caller's. */
int auth_token_delete(struct auth *auth, const struct principal *principal, const char *id,
		      struct error *e);
int auth_token_list(struct auth *auth, const struct principal *principal, const char *after,
		    int limit, void (*take)(void *context, const struct auth_grant *grant),
		    void *context, struct error *e);

#endif
