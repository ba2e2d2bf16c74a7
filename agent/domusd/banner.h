#ifndef DOMUS_DOMUSD_BANNER_H
#define DOMUS_DOMUSD_BANNER_H

#include <stdbool.h>

#include "common/error.h"

/*
 * The file that says how to reach us: port, fingerprint of the authority, claim code while there is one, and as the last line
 * that we are ready. Mode 0600, since the code is a secret. Replaced as a whole each time.
 *
 *	domus: listening 8443
 *	domus: certificate authority sha256 <hex>
 *	domus: claim code XXXX-XXXX-XXXX
 *	domus: ready
 */
int banner_write(const char *path, unsigned port, const char *fingerprint, const char *code,
		 struct error *e);

#endif
