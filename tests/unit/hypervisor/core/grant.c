/* Grants: who may use an entry, what says that it is in use, handles, copies, and the ends of both sides. */
#include "core/grant.h"
#include "core/domain_life.h"
#include "core/memory.h"
#include "core/unit.h"
#include "fake/machine.h"
#include "fake/xen_machine.h"
#include "lib/errno.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GFN  (FAKE_GUEST >> PAGE_SHIFT)
#define HERE IPA(0x80000000ul)

static struct domain *granter, *user;
static struct grant_entry *entry;
static long before;

static int setup(void **state)
{
	(void)state;
	granter = fake_domain(1);
	assert_int_equal(
		domain_create(
			&(struct domain_config){.id = 7, .vcpus_max = 1, .maptrack_frames = 1},
			&user),
		0);
	memset(fake_guest, 0, sizeof(fake_guest));
	fake_grants_forget();
	entry = granter->grants->frame[0];
	before = fake_references;
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	if (domains[user->slot] == user) {
		domains[user->slot] = NULL;
		domain_release(user);
	}
	fake_domain_free(granter);
	return 0;
}
static void grant(unsigned ref, unsigned page, unsigned flags)
{
	entry[ref] = (struct grant_entry){(uint16_t)(GRANT_ACCESS | flags), user->id,
					  (uint32_t)(GFN + page)};
}
static enum grant_status map(unsigned ref, bool readonly, uint32_t *handle)
{
	pa_t bus;

	return grant_map(user, granter, ref, IPA(HERE.raw + ref * PAGE_SIZE), readonly, handle,
			 &bus);
}
static enum grant_status unmap(unsigned ref, uint32_t handle)
{
	return grant_unmap(user, handle, IPA(HERE.raw + ref * PAGE_SIZE));
}

static void test_a_mapping_marks_its_entry(void **state)
{
	uint32_t h;
	pa_t bus;

	(void)state;
	grant(9, 2, 0);
	assert_int_equal(grant_map(user, granter, 9, HERE, false, &h, &bus), GRANT_OKAY);
	assert_int_equal(bus.raw, (uint64_t)&fake_guest[2 * PAGE_SIZE]);
	assert_int_equal(entry[9].flags, GRANT_ACCESS | GRANT_READING | GRANT_WRITING);
	assert_int_equal(grant_unmap(user, h, IPA(HERE.raw + PAGE_SIZE)),
			 GRANT_ERROR); /* another place */
	assert_int_equal(grant_unmap(user, h, HERE), GRANT_OKAY);
	assert_int_equal(entry[9].flags, GRANT_ACCESS);
	assert_int_equal(grant_unmap(user, h, HERE), GRANT_BAD_HANDLE);
	assert_int_equal(fake_references, before);
}

static void test_marks_stay_until_the_last_one_goes(void **state)
{
	uint32_t r1, r2, w;
	pa_t bus;

	(void)state;
	grant(1, 0, 0);
	assert_int_equal(map(1, true, &r1), GRANT_OKAY);
	assert_int_equal(entry[1].flags, GRANT_ACCESS | GRANT_READING);
	assert_int_equal(grant_map(user, granter, 1, HERE, false, &w, &bus), GRANT_OKAY);
	assert_int_equal(grant_map(user, granter, 1, IPA(HERE.raw + 0x90000), true, &r2, &bus),
			 GRANT_OKAY);
	assert_int_equal(unmap(1, r1), GRANT_OKAY);
	assert_int_equal(grant_unmap(user, w, HERE), GRANT_OKAY);
	assert_int_equal(entry[1].flags, GRANT_ACCESS | GRANT_READING);
	assert_int_equal(grant_unmap(user, r2, IPA(HERE.raw + 0x90000)), GRANT_OKAY);
	assert_int_equal(entry[1].flags, GRANT_ACCESS);
	assert_int_equal(fake_references, before);
}

static void test_what_is_not_granted_is_refused(void **state)
{
	uint32_t h;
	pa_t bus;

	(void)state;
	assert_int_equal(map(1, false, &h), GRANT_ERROR); /* empty entry */
	grant(1, 0, GRANT_READONLY);
	assert_int_equal(map(1, false, &h), GRANT_ERROR);
	entry[1].domain = 3; /* somebody else's */
	assert_int_equal(map(1, true, &h), GRANT_ERROR);
	entry[1] = (struct grant_entry){2, user->id, GFN}; /* a transfer */
	assert_int_equal(map(1, true, &h), GRANT_ERROR);
	assert_int_equal(map(GRANT_PER_FRAME, true, &h), GRANT_BAD_REF);
	assert_int_equal(map(~0u, true, &h), GRANT_BAD_REF);
	entry[2] = (struct grant_entry){GRANT_ACCESS, user->id, 0}; /* no memory there */
	assert_int_equal(map(2, true, &h), GRANT_BAD_PAGE);
	assert_int_equal(entry[2].flags, GRANT_ACCESS);
	grant(3, 0, 0);
	assert_int_equal(grant_map(user, granter, 3, IPA(HERE.raw + 8), true, &h, &bus),
			 GRANT_ERROR);
	assert_int_equal(grant_unmap(user, 0, HERE), GRANT_BAD_HANDLE);
	assert_int_equal(grant_unmap(user, ~0u, HERE), GRANT_BAD_HANDLE);
	assert_int_equal(fake_references, before);
}

static void test_handles_are_bounded_and_come_back(void **state)
{
	uint32_t h[MAPTRACK_PER_PAGE + 1];
	unsigned n = 0;

	(void)state;
	for (; n < 60; n++) {
		grant(n, 1, 0);
		assert_int_equal(map(n, false, &h[n]), GRANT_OKAY);
	}
	user->grants->maps_max = 1;
	user->grants->free_handle = 0; /* as if all the others were taken */
	grant(n, 1, 0);
	assert_int_equal(map(n, false, &h[n]), GRANT_NO_SPACE);
	assert_int_equal(entry[n].flags, GRANT_ACCESS);
	assert_int_equal(unmap(0, h[0]), GRANT_OKAY);
	assert_int_equal(map(n, false, &h[n]), GRANT_OKAY);
	assert_int_equal(h[n], h[0]);
}

static void test_a_user_that_put_something_else_there_still_gives_the_entry_back(void **state)
{
	uint32_t h;

	(void)state;
	grant(4, 0, 0);
	assert_int_equal(map(4, false, &h), GRANT_OKAY);
	assert_int_equal(memory_unmap_page(user, IPA(HERE.raw + 4 * PAGE_SIZE)), 0);
	assert_int_equal(unmap(4, h), GRANT_ERROR);
	assert_int_equal(entry[4].flags, GRANT_ACCESS);
	assert_int_equal(unmap(4, h), GRANT_BAD_HANDLE);
	assert_int_equal(fake_references, before);
}

static const struct unit *grant_unit(void)
{
	for (const struct unit *u = units_begin; u < units_end; u++)
		if (strcmp(u->name, "grant") == 0)
			return u;
	abort();
}

static void test_a_user_that_ends_gives_all_entries_back_in_steps(void **state)
{
	uint32_t h[40];
	unsigned steps = 1;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		grant(i, i % 4, 0);
		assert_int_equal(map(i, i & 1, &h[i]), GRANT_OKAY);
	}
	while (grant_unit()->domain_relinquish(user) == -ERESTART)
		steps++;
	assert_in_range(steps, 1, 3);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(entry[i].flags, GRANT_ACCESS);
	assert_int_equal(unmap(0, h[0]), GRANT_BAD_HANDLE);
	assert_int_equal(fake_references, before - 1); /* and its own frame */
}

static void test_a_granter_that_ends_leaves_mappings_that_can_be_taken_away(void **state)
{
	uint32_t h, none;
	pa_t pa;

	(void)state;
	grant(5, 3, 0);
	assert_int_equal(map(5, false, &h), GRANT_OKAY);
	assert_int_equal(grant_unit()->domain_relinquish(granter), 0);
	assert_int_equal(grant_unit()->domain_relinquish(granter), 0);
	assert_int_equal(map(5, false, &none), GRANT_BAD_REF);
	assert_int_equal(grant_frame(granter, 0, &pa), -EINVAL);
	assert_int_equal(unmap(5, h), GRANT_OKAY);
	assert_int_equal(fake_references, before - 1);
}

static void test_copies(void **state)
{
	struct grant_side own = {false, user, GFN, 100}, theirs = {true, granter, 6, 4000};

	(void)state;
	grant(6, 1, GRANT_READONLY);
	memset(fake_guest + PAGE_SIZE + 4000, 0x5a, 96);
	assert_int_equal(grant_copy(user, &theirs, &own, 96), GRANT_OKAY);
	assert_memory_equal(fake_guest + 100, fake_guest + PAGE_SIZE + 4000, 96);
	assert_int_equal(fake_guest[99] | fake_guest[196], 0);
	assert_int_equal(grant_copy(user, &own, &theirs, 96), GRANT_ERROR); /* read-only */
	assert_int_equal(grant_copy(user, &theirs, &own, 97), GRANT_BAD_COPY);
	own.offset = 4090;
	assert_int_equal(grant_copy(user, &theirs, &own, 96), GRANT_BAD_COPY);
	own.offset = 0;
	own.at = ~0ul;
	assert_int_equal(grant_copy(user, &theirs, &own, 1), GRANT_BAD_PAGE);
	own.at = 1; /* no memory there */
	assert_int_equal(grant_copy(user, &theirs, &own, 1), GRANT_BAD_PAGE);
	theirs.domain = NULL;
	assert_int_equal(grant_copy(user, &theirs, &own, 1), GRANT_BAD_DOMAIN);
	assert_int_equal(entry[6].flags, GRANT_ACCESS | GRANT_READONLY);
	assert_int_equal(fake_references, before);
}

static void test_swap_needs_entries_that_nobody_uses(void **state)
{
	uint32_t h;

	(void)state;
	grant(1, 1, 0);
	grant(2, 2, GRANT_READONLY);
	assert_int_equal(grant_swap(granter, 1, 2), GRANT_OKAY);
	assert_int_equal(entry[1].gfn, GFN + 2);
	assert_int_equal(entry[2].flags, GRANT_ACCESS);
	assert_int_equal(map(2, false, &h), GRANT_OKAY);
	assert_int_equal(grant_swap(granter, 1, 2), GRANT_AGAIN);
	assert_int_equal(grant_swap(granter, 1, GRANT_PER_FRAME), GRANT_BAD_REF);
	assert_int_equal(unmap(2, h), GRANT_OKAY);
}

static void test_the_table_grows_to_its_limit(void **state)
{
	pa_t pa;

	(void)state;
	granter->grants->frames_max = 10;
	assert_int_equal(grant_frame(granter, 2, &pa), 0);
	assert_int_equal(granter->grants->frames, 3);
	assert_int_equal(grant_frame(granter, 9, &pa), -ERESTART); /* four at one go */
	assert_int_equal(granter->grants->frames, 7);
	assert_int_equal(grant_frame(granter, 9, &pa), 0);
	assert_int_equal(granter->grants->frames, 10);
	assert_int_equal(grant_frame(granter, 10, &pa), -EINVAL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_mapping_marks_its_entry),
		T(test_marks_stay_until_the_last_one_goes),
		T(test_what_is_not_granted_is_refused),
		T(test_handles_are_bounded_and_come_back),
		T(test_a_user_that_put_something_else_there_still_gives_the_entry_back),
		T(test_a_user_that_ends_gives_all_entries_back_in_steps),
		T(test_a_granter_that_ends_leaves_mappings_that_can_be_taken_away),
		T(test_copies),
		T(test_swap_needs_entries_that_nobody_uses),
		T(test_the_table_grows_to_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
