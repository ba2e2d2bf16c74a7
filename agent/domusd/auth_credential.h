#ifndef DOMUS_DOMUSD_AUTH_CREDENTIAL_H
#define DOMUS_DOMUSD_AUTH_CREDENTIAL_H

/* What a request comes with, and the session behind it. For http, events and api/sessions. */
#include "domusd/auth_service.h"

/*
 * Check a credential: fill user, privilege, credential id, method. ERROR_AUTH_REQUIRED for one that is unknown, expired or
 * idle for too long. csrf receives the session's token. On an HTTP thread: one indexed read.
 */
int auth_check_token(struct auth *auth, const char *token, struct principal *principal,
		     struct error *e);
int auth_check_session(struct auth *auth, const char *cookie, struct principal *principal,
		       char csrf[AUTH_CSRF_SIZE], struct error *e);

/* Whether the credential that a principal came with is still good: for what lasts longer than a request. Does not count as a
 * use of it. */
bool auth_credential_good(struct auth *auth, const struct principal *principal);

/* The session of a principal that came with one; ERROR_SESSION_NONE for a token. */
int auth_session_get(struct auth *auth, const struct principal *principal, struct auth_grant *grant,
		     struct error *e);
int auth_logout(struct auth *auth, const struct principal *principal, struct error *e);

#endif
