/* Between core/domain.c (birth, state) and core/domain_kill.c (death). Nobody else's. */
#ifndef CORE_DOMAIN_LIFE_H
#define CORE_DOMAIN_LIFE_H
#include "core/domain.h"

/* A domain that is GONE and not freed yet has been there: its VMID and what the units keep for a place are in use. */
bool domain_place_is_taken(unsigned place);
/* From one state to another, if it still is in the first. */
bool domain_state_change(struct domain *d, enum domain_state from, enum domain_state to);
/* What the units made, and the structure. The domain is in no table and owns no memory but theirs. */
void domain_release(struct domain *d);

#endif
