/* A plan is carried out: the new definitions of the domains that it is about. */
#include <stdio.h>

#include "domusd/assignment.h"
#include "domusd/clock.h"
#include "domusd/plan.h"
#include "domusd/store_device.h"

static int apply_one(const struct plan_domain *d, struct journal *journal, struct store_tx *tx,
		     const struct actor *actor, struct error *e)
{
	char resource[64];
	struct event event = {.type = "domain.updated", .resource = resource, .actor = actor};

	snprintf(resource, sizeof(resource), "domains/%s", d->before.name);
	if (store_domain_update(tx, &d->after, clock_wall_ms(), &event.revision, e) < 0 ||
	    journal_append(journal, tx, &event, e) < 0)
		return -1;
	return 0;
}

int plan_apply(struct plan *plan, struct journal *journal, struct store_tx *tx,
	       const struct actor *actor, struct error *e)
{
	/* first all let go, so that two can exchange what they have */
	for (unsigned i = 0; i < plan->domain_count; i++) {
		struct plan_domain *d = plan->domains[i];
		unsigned count = d->after.device_count;
		int result;

		d->after.device_count = 0;
		result = store_domain_devices_set(tx, &d->after, e);
		d->after.device_count = count;
		if (result < 0)
			return -1;
	}
	for (unsigned i = 0; i < plan->domain_count; i++)
		if (apply_one(plan->domains[i], journal, tx, actor, e) < 0)
			return -1;
	for (unsigned i = 0; i < plan->domain_count; i++)
		if (assignment_changed(journal, tx, &plan->domains[i]->before,
				       &plan->domains[i]->after, actor, e) < 0)
			return -1;
	return 0;
}
