#ifndef DOMUS_DOMUSD_AUTH_USE_H
#define DOMUS_DOMUSD_AUTH_USE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "domusd/id.h"

/* Uses of credentials that the database does not know yet: written once a minute, not at each request. Times are wall ms.
 * The lock may be taken inside a transaction. */
#define AUTH_USES_MAX 64

struct auth_use {
	char id[ID_SIZE];
	bool session;
	int64_t used;
};

struct auth_uses {
	pthread_mutex_t mutex;
	struct auth_use list[AUTH_USES_MAX];
	int count;
};

void auth_use_init(struct auth_uses *uses);
void auth_use_destroy(struct auth_uses *uses);
/* More at once than the table holds within a minute are dropped: those are not prolonged, at worst somebody logs in again. */
void auth_use_note(struct auth_uses *uses, bool session, const char *id, int64_t now);
/* When a credential was last used: what the database says or a later use that is still in memory. */
int64_t auth_use_last(struct auth_uses *uses, const char *id, int64_t used);
/* A copy for the database; returns how many. */
int auth_use_copy(struct auth_uses *uses, struct auth_use copy[AUTH_USES_MAX]);
/* The newest copy was written: forgets those that were not used since. */
void auth_use_forget(struct auth_uses *uses, const struct auth_use *written, int count);

#endif
