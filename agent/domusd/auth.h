#ifndef DOMUS_DOMUSD_AUTH_H
#define DOMUS_DOMUSD_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "domusd/actor.h"
#include "domusd/id.h"

/* Who makes a request: the result of checking its credential. Plain data, copy it before
 * request_defer(). */
struct principal {
	struct actor actor;	  /* for events, audit records and operations */
	enum privilege privilege; /* PRIVILEGE_NONE: anonymous */
	int64_t user_id;	  /* 0: anonymous */
	char credential[ID_SIZE]; /* id of the session or token; "" */
	bool session;		  /* by cookie: CSRF token was checked for unsafe methods */
};

/* The service itself is in auth_service.h, and what is asked of it in auth_login.h, auth_credential.h and
 * auth_token.h: only api/claim, sessions, tokens and http use it. */

#endif
