#ifndef DOMUS_DOMUSD_ASSIGNMENT_H
#define DOMUS_DOMUSD_ASSIGNMENT_H

#include "common/error.h"
#include "domusd/actor.h"
#include "domusd/definition.h"
#include "domusd/journal.h"
#include "domusd/store.h"

/* Devices and the domains that own them: whether a definition may have them, and what follows when it changes. */

/*
 * In the write transaction that then keeps the definition: every device is there, switchable, not the appliance's, not
 * another domain's, not stuck from another one, and no group is torn apart. 0, or -1 and *e at /devices/N.
 */
int assignment_check(struct store_tx *tx, const struct definition *d, struct error *e);

/* The owners that changed from `before` to `after` (NULL: there was, there is no such domain): revisions and events. */
int assignment_changed(struct journal *journal, struct store_tx *tx,
		       const struct definition *before, const struct definition *after,
		       const struct actor *actor, struct error *e);

#endif
