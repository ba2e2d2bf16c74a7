/* Grants under any sequence of operations by the granter, the user and their ends. Whatever happens: when both are gone, every
 * reference on a frame was given back, and while the granter lives no entry says that it is in use. Three bytes an operation. */
#include "core/grant.h"
#include "core/domain_life.h"
#include "core/memory.h"
#include "core/unit.h"
#include "fake/machine.h"
#include "fake/xen_machine.h"
#include "lib/errno.h"
#include <stdlib.h>
#include <string.h>

#define REFS 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct domain *granter, *user;

static const struct unit *grant_unit(void)
{
	for (const struct unit *u = units_begin; u < units_end; u++)
		if (strcmp(u->name, "grant") == 0)
			return u;
	abort();
}

static void relinquish(struct domain *d)
{
	while (grant_unit()->domain_relinquish(d) == -ERESTART)
		;
}

static void step(unsigned what, unsigned a, unsigned b)
{
	struct grant_entry *e =
		granter->grants->frames ? &granter->grants->frame[0][a % REFS] : NULL;
	struct grant_side own = {false, user, (FAKE_GUEST >> PAGE_SHIFT) + b % 16, b},
			  theirs = {true, granter, a % 32, b * 16};
	ipa_t ipa = IPA(0x40000000 + (b % 8) * PAGE_SIZE);
	uint32_t handle;
	pa_t bus;

	switch (what % 8) {
	case 0: /* the guest writes into its table, flags of use included */
		if (e && !granter->grants->use[0][a % REFS].readers &&
		    !granter->grants->use[0][a % REFS].writers)
			*e = (struct grant_entry){(uint16_t)(b & 7), b & 0x80 ? 3 : user->id,
						  (uint32_t)((FAKE_GUEST >> PAGE_SHIFT) + b % 16)};
		break;
	case 1:
	case 2:
		(void)grant_map(user, granter, a, ipa, what & 8, &handle, &bus);
		break;
	case 3:
		(void)grant_unmap(user, a, ipa);
		break;
	case 4:
		(void)memory_unmap_page(user, ipa);
		break;
	case 5:
		(void)grant_copy(user, what & 8 ? &own : &theirs, what & 8 ? &theirs : &own, a);
		break;
	case 6:
		(void)grant_swap(granter, a, b);
		break;
	case 7:
		if (a == 0 && b < 8)
			relinquish(b & 1 ? granter : user);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	long before = fake_references;

	fake_grants_forget();
	granter = fake_domain(1);
	if (domain_create(&(struct domain_config){.id = 7, .vcpus_max = 1, .maptrack_frames = 1},
			  &user))
		abort();
	for (; size >= 3; data += 3, size -= 3)
		step(data[0], data[1], data[2]);
	relinquish(user);
	for (unsigned i = 0; granter->grants->frames && i < REFS; i++)
		if (granter->grants->frame[0][i].flags & (GRANT_READING | GRANT_WRITING))
			abort();
	relinquish(granter);
	for (unsigned i = 0; i < 8; i++)
		(void)memory_unmap_page(user, IPA(0x40000000 + i * PAGE_SIZE));
	if (fake_references !=
	    before -
		    2) /* each had one frame of a table, which nobody counts here when it is made */
		abort();
	domains[user->slot] = NULL;
	domain_release(user);
	fake_domain_free(granter);
	return 0;
}
