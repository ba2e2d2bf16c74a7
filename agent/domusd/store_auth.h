#ifndef DOMUS_DOMUSD_STORE_AUTH_H
#define DOMUS_DOMUSD_STORE_AUTH_H

#include <stdbool.h>

#include "domusd/auth_service.h"
#include "domusd/store.h"

#define STORE_SECRET_SIZE 32 /* SHA-256 */

struct user_row {
	int64_t id;
	char name[40];
	char password[160];
	enum privilege privilege;
};

int store_user_count(struct store_tx *tx, struct error *e);
int store_user_insert(struct store_tx *tx, const char *name, const char *password,
		      enum privilege privilege, int64_t now, int64_t *id, struct error *e);
/* 1 found, 0 not there, -1. */
int store_user_find(struct store_tx *tx, const char *name, struct user_row *user, struct error *e);

struct credential_row {
	char id[ID_SIZE];
	int64_t user_id;
	char user[40];
	enum privilege privilege;
	int64_t created, expires, used; /* used 0: never */
	char csrf[40];			/* sessions */
	char name[160];			/* tokens: 128 characters of ASCII */
};

int store_session_insert(struct store_tx *tx, const struct credential_row *row,
			 const unsigned char secret[STORE_SECRET_SIZE], const char *address,
			 struct error *e);
int store_session_find(struct store_tx *tx, const unsigned char secret[STORE_SECRET_SIZE],
		       struct credential_row *row, struct error *e);
int store_session_get(struct store_tx *tx, const char *id, struct credential_row *row,
		      struct error *e);
/* How many were deleted. */
int store_session_delete(struct store_tx *tx, const char *id, struct error *e);
/* Deletes what is expired, or idle since before idle_before, or beyond the newest `keep` of a user. */
int store_session_expire(struct store_tx *tx, int64_t now, int64_t idle_before, int keep,
			 struct error *e);

int store_token_insert(struct store_tx *tx, const struct credential_row *row,
		       const unsigned char secret[STORE_SECRET_SIZE], struct error *e);
int store_token_find(struct store_tx *tx, const unsigned char secret[STORE_SECRET_SIZE],
		     struct credential_row *row, struct error *e);
int store_token_get(struct store_tx *tx, const char *id, struct credential_row *row,
		    struct error *e);
int store_token_delete(struct store_tx *tx, int64_t user_id, const char *id, struct error *e);
/* Those of a user with an id after `after`, in its order. */
int store_token_list(struct store_tx *tx, int64_t user_id, const char *after, int limit,
		     void (*take)(void *context, const struct credential_row *row), void *context,
		     struct error *e);
/* Expired ones are kept for a while so that their owner sees why they fail. */
int store_token_expire(struct store_tx *tx, int64_t before, struct error *e);

int store_credential_used(struct store_tx *tx, bool session, const char *id, int64_t used,
			  struct error *e);

#endif
