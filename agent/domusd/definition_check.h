#ifndef DOMUS_DOMUSD_DEFINITION_CHECK_H
#define DOMUS_DOMUSD_DEFINITION_CHECK_H

#include "domusd/blob.h"
#include "domusd/definition.h"
#include "domusd/lifecycle.h"

/*
 * Does what a definition refers to exist, and does it fit? Images of the right kind, a kernel that
 * can be booted, volumes that nobody else may write, known networks, other domains, memory and CPUs
 * that the board has. Replaces "auto" MACs. In the write transaction that then keeps the definition,
 * so nothing can vanish in between. Reads the first 64 KiB of the kernel. 0, or -1 and *e with a
 * pointer.
 */
int definition_check(struct store_tx *tx, struct blob *blob, struct lifecycle *lifecycle,
		     struct definition *definition, struct error *e);

#endif
