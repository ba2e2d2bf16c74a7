#ifndef DOMUS_DOMUSD_AUTH_CODE_H
#define DOMUS_DOMUSD_AUTH_CODE_H

#include <stdbool.h>

#include "domusd/auth_service.h"

/* The claim code: 60 random bits as XXXX-XXXX-XXXX in Crockford's base 32 (no I, L, O, U). */
void auth_code_make(char code[AUTH_CODE_SIZE]);
/* What a person typed, in the form of auth_code_make(): any case, O as 0, I and L as 1, dashes and spaces anywhere. False when
 * it cannot be a code. */
bool auth_code_normalise(const char *typed, char code[AUTH_CODE_SIZE]);

/* The file `claim-code` in the state directory: read it, or make it (0600, fsynced) when it is not there or not a code. */
int auth_code_load(int state_fd, char code[AUTH_CODE_SIZE], struct error *e);
void auth_code_remove(int state_fd);

#endif
