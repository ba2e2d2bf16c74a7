#ifndef DOMUS_DOMUSD_AUTH_PASSWORD_H
#define DOMUS_DOMUSD_AUTH_PASSWORD_H

#include <stdbool.h>

#include "common/error.h"

#define AUTH_PASSWORD_SIZE 160

/*
 * Argon2id (RFC 9106) with 19 MiB, 2 passes, 1 lane (OWASP Password Storage): each call takes that memory and a good part of a
 * second on a small core, so only auth's worker calls these. The text carries salt and parameters:
 * argon2id$v=19$m=19456,t=2,p=1$<salt, hex>$<hash, hex>.
 */
int auth_password_hash(const char *password, char text[AUTH_PASSWORD_SIZE], struct error *e);
/* Whether the password belongs to text. NULL as text takes the same time and is false: there is no such user. */
bool auth_password_verify(const char *password, const char *text);

#endif
