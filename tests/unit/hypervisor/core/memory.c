/* Frames, stage 2 and the end of domains together: core/page, core/memory, core/domain, core/domain_kill and arch/arm64/stage2.c
 * as they are, on a machine of 64 MiB. Whatever domains do with their memory and in whatever order they end, every frame is in one
 * place only and comes back. */
#include "core/memory.h"
#include "core/irq.h"
#include "core/sched.h"
#include "core/unit.h"
#include "drivers/gicv3.h"
#include "fake/boot_machine.h"
#include "fake/stage2_machine.h"
#include "lib/errno.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE	  0x40000000ul
#define SIZE	  MIB(64)
#define WORDS	  0x80000000ul /* outside, so that all of the bank is free */
#define DOM0	  MIB(8)       /* Dom0's RAM, at the end of the bank */
#define DOM0_BASE (BASE + SIZE - DOM0)
#define GUEST	  0x40000000ul /* where guests have their RAM */
#define REGISTERS 0x09000000ul

/* ---- the rest of the machine -------------------------------------------------------------------------------------------- */
struct cpu cpus[MAX_CPUS];
unsigned cpu_count = 2;
static unsigned sgis;
static unsigned
	busy; /* vCPUs that are still on a CPU: so often sched_retire() has to be asked again */

void gic_send_sgi(uint64_t mpidr, unsigned sgi)
{
	CHECK(sgi == SGI_FORGET && mpidr < cpu_count);
	sgis |= 1u << mpidr;
}
bool sched_retire(struct vcpu *v)
{
	(void)v;
	if (busy == 0)
		return true;
	busy--;
	return false;
}
bool vcpu_should_yield(struct vcpu *v)
{
	static unsigned calls;

	(void)v;
	return ++calls % 5 == 0;
}
void vcpu_kick(struct vcpu *v, uint32_t work)
{
	(void)v;
	(void)work;
}
void vcpu_destroy(struct vcpu *v)
{
	v->domain->vcpu[v->id] = NULL;
	heap_free(v, 0);
}
void vcpu_state_save(struct vcpu_state *s)
{
	(void)s;
}
bool mmu_is_own_device(pa_t pa, uint64_t size)
{
	return pa.raw <= REGISTERS && pa.raw + size > REGISTERS;
}
void cache_clean_invalidate(const void *va, size_t size)
{
	CHECK(page_of(va_to_pa(va)) != NULL && size <= MIB(1));
}
void console_finish(void)
{
}
void machine_off(void)
{
	_exit(FAKE_FAILED);
}
void machine_reset(void)
{
	_exit(FAKE_FAILED);
}

/* A unit that has a page in each domain, fails when it is told to, and needs some steps to give up. */
static bool unit_fails;
static unsigned dead;
static int unit_create(struct domain *d)
{
	d->xen = heap_pages(0);
	return unit_fails || d->xen == NULL ? -ENOMEM : 0;
}
static int unit_relinquish(struct domain *d)
{
	uint64_t *steps = (uint64_t *)d->xen;

	return steps != NULL && (*steps)++ < 3 ? -ERESTART : 0;
}
static void unit_destroy(struct domain *d)
{
	if (d->xen != NULL)
		heap_free(d->xen, 0);
	d->xen = NULL;
}
static void unit_dead(struct domain *d)
{
	(void)d;
	dead++;
}
UNIT(test_unit) = {.name = "test",
		   .domain_create = unit_create,
		   .domain_relinquish = unit_relinquish,
		   .domain_destroy = unit_destroy,
		   .domain_dead = unit_dead};

/* Each CPU takes the interrupts that were sent to it. */
static void cpus_pass(void)
{
	while (sgis != 0) {
		fake_cpu = &cpus[bits_first(sgis)];
		sgis &= sgis - 1;
		domain_cpu_passed();
	}
	fake_cpu = &cpus[0];
}

static void machine(void)
{
	for (unsigned i = 0; i < cpu_count; i++)
		cpus[i] = (struct cpu){.id = i, .mpidr = i, .online = true};
	fake_cpu = &cpus[0];
	page_add_bank(PA(BASE), SIZE, pa_to_va(PA(WORDS)));
	page_add_free(PA(BASE), SIZE - DOM0);
}

static struct domain *make(uint16_t id)
{
	struct domain *d;

	CHECK(domain_create(&(struct domain_config){.id = id, .vcpus_max = 1, .pages_max = 1 << 20},
			    &d) == 0);
	d->vcpu[0] = heap_pages(0);
	d->vcpu[0]->domain = d;
	return d;
}

/* Direct-mapped, as boot/dom0.c makes it. */
static struct domain *make_dom0(void)
{
	struct domain *d = make(0);

	d->direct_mapped = d->privileged = true;
	page_set_range(PA(DOM0_BASE), DOM0, PAGE_RAM, 0);
	CHECK(stage2_map(&d->stage2, IPA(DOM0_BASE), PA(DOM0_BASE), DOM0, STAGE2_RAM) == 0);
	d->pages = DOM0 >> PAGE_SHIFT;
	d->frames = d->pages;
	return d;
}

static void kill_until_gone(struct domain *d, unsigned *steps)
{
	uint16_t id = d->id;
	int error;

	for (*steps = 1; (error = domain_kill(d)) == -ERESTART; ++*steps)
		CHECK(domain_is_leaving(id) && *steps < 10000);
	CHECK(error == 0);
	if (domain_reap_wanted != 0)
		domain_reap();
	cpus_pass();
}

static pa_t frame_at(struct domain *d, ipa_t ipa)
{
	struct stage2_entry e = memory_lookup(d, ipa);

	CHECK(e.kind != STAGE2_NONE);
	return e.pa;
}

/* ---- tests ---------------------------------------------------------------------------------------------------------------- */
static void run_a_life(void *arg)
{
	uint64_t before;
	struct domain *d;
	unsigned steps;

	(void)arg;
	machine();
	make_dom0();
	before = page_free_count();
	d = make(1);
	CHECK(memory_populate(d, IPA(GUEST), 9) == 0);
	CHECK(memory_populate(d, IPA(GUEST + MIB(2)), 0) == 0);
	CHECK(d->pages == 513 && d->frames == 513);
	CHECK(memory_lookup(d, IPA(GUEST)).left == MIB(2));  /* as a block */
	CHECK(memory_populate(d, IPA(GUEST), 0) == -EINVAL); /* there is something */
	CHECK(memory_populate(d, IPA(GUEST + 8), 0) == -EINVAL);
	CHECK(memory_populate(d, IPA(1ul << 40), 0) == -EINVAL);
	CHECK(memory_populate(d, IPA(GUEST + MIB(4)), 10) == -ENOMEM);
	CHECK(memory_populate(d, IPA(GUEST + MIB(4)), 19) == -EINVAL);
	d->pages_max = 513;
	CHECK(memory_populate(d, IPA(GUEST + MIB(4)), 0) == -EPERM);
	CHECK(d->stage2.top == GUEST + MIB(2) + PAGE_SIZE);
	busy = 7;
	kill_until_gone(d, &steps);
	CHECK(steps > 10 && busy == 0 && dead == 2);
	CHECK(domain_find(1) == NULL && !domain_is_leaving(1));
	CHECK(page_free_count() == before);
	d = make(1); /* the number is free again */
	CHECK(page_free_count() < before);
}

static void run_what_it_gave_up_is_free_at_once(void *arg)
{
	uint64_t before;
	struct domain *d;

	(void)arg;
	machine();
	d = make(1);
	CHECK(memory_populate(d, IPA(GUEST), 9) == 0);
	before = page_free_count();
	CHECK(memory_decrease(d, IPA(GUEST + 5 * PAGE_SIZE), 0) == 0);
	CHECK(page_free_count() == before + 1 - 1 &&
	      d->pages == 511); /* the block was split: a table */
	CHECK(memory_decrease(d, IPA(GUEST + 5 * PAGE_SIZE), 0) == -EINVAL);
	CHECK(memory_decrease(d, IPA(GUEST + 4 * PAGE_SIZE), 1) == -EINVAL && d->pages == 511);
	CHECK(memory_decrease(d, IPA(GUEST + 8 * PAGE_SIZE), 3) == 0 && d->pages == 503);
	CHECK(page_free_count() == before + 8);
	CHECK(memory_populate(d, IPA(GUEST + 5 * PAGE_SIZE), 0) == 0);
	CHECK(memory_populate(d, IPA(GUEST + 8 * PAGE_SIZE), 3) == 0);
	CHECK(page_free_count() == before - 1 && d->pages == 512);
	CHECK(fake_tlb_is_clean());
}

/* Dom0's frames stay its own, at their own addresses. */
static void run_dom0_gets_its_own_frames_back(void *arg)
{
	struct domain *d0;
	ipa_t hole = IPA(DOM0_BASE + MIB(2));
	struct page *p = page_of(PA(DOM0_BASE + MIB(2)));
	uint64_t before;

	(void)arg;
	machine();
	d0 = make_dom0();
	before = page_free_count();
	CHECK(memory_decrease(d0, hole, 0) == 0);
	CHECK(page_type(p = page_of(PA(hole.raw))) == PAGE_KEPT && page_owner(p) == 0);
	CHECK(page_free_count() == before - 1); /* one table, and not the frame */
	CHECK(memory_populate(d0, IPA(DOM0_BASE - MIB(2)), 0) == -EINVAL);
	CHECK(memory_populate(d0, hole, 0) == 0 && frame_at(d0, hole).raw == hole.raw);
	CHECK(page_type(p) == PAGE_RAM && d0->pages == DOM0 >> PAGE_SHIFT);
	memory_compact(d0);
	CHECK(page_free_count() == before && memory_lookup(d0, hole).left == MIB(2));
}

static void run_a_reference_keeps_frame_and_domain(void *arg)
{
	struct domain *d0, *d;
	struct page *page;
	uint64_t before;
	unsigned steps;
	pa_t pa;

	(void)arg;
	machine();
	d0 = make_dom0();
	before = page_free_count();
	d = make(1);
	CHECK(memory_populate(d, IPA(GUEST), 9) == 0);
	strcpy(pa_to_va(PA(frame_at(d, IPA(GUEST)).raw)), "still here");
	CHECK(memory_frame_get(d, IPA(GUEST + 3), true, &pa, &page) == 0 &&
	      pa.raw % PAGE_SIZE == 3);
	CHECK(memory_map_page(d0, IPA(DOM0_BASE), PA(pa.raw - 3), STAGE2_FOREIGN) == 0);
	CHECK(d0->pages == (DOM0 >> PAGE_SHIFT) - 1); /* its own frame is kept meanwhile */
	kill_until_gone(d, &steps);
	CHECK(domain_find(1) == d && domain_is_leaving(1) && d->state == DOMAIN_ZOMBIE &&
	      d->frames == 1);
	CHECK(strcmp(pa_to_va(frame_at(d0, IPA(DOM0_BASE))), "still here") == 0);
	CHECK(domain_kill(d) == 0); /* once more changes nothing */
	CHECK(memory_unmap_page(d0, IPA(DOM0_BASE)) == 0);
	CHECK(domain_reap_wanted != 0);
	domain_reap();
	CHECK(domain_find(1) == NULL &&
	      domain_is_leaving(1)); /* GONE, but CPUs may have a pointer to it */
	cpus_pass();
	CHECK(!domain_is_leaving(1));
	CHECK(memory_populate(d0, IPA(DOM0_BASE), 0) == 0);
	memory_compact(d0);
	CHECK(page_free_count() == before);
}

static void run_grants_are_unmapped_only_where_they_are(void *arg)
{
	struct domain *d0, *d;
	struct page *page;
	ipa_t at = IPA(0x38000000);
	pa_t pa;

	(void)arg;
	machine();
	d0 = make_dom0();
	d = make(1);
	CHECK(memory_populate(d, IPA(GUEST), 0) == 0);
	CHECK(memory_frame_get(d, IPA(GUEST), true, &pa, &page) == 0);
	CHECK(memory_map_page(d0, at, pa, STAGE2_GRANT_RO) == 0);
	CHECK(memory_unmap_grant(d0, IPA(at.raw + PAGE_SIZE), pa) == -EINVAL);
	CHECK(memory_unmap_grant(d0, at, PA(pa.raw + PAGE_SIZE)) == -EINVAL);
	CHECK(memory_unmap_grant(d0, IPA(DOM0_BASE), PA(DOM0_BASE)) ==
	      -EINVAL); /* RAM is no grant */
	CHECK(memory_unmap_grant(d0, at, pa) == 0 && memory_unmap_grant(d0, at, pa) == -EINVAL);
	CHECK((uint32_t)page->word == 1);
	CHECK(memory_frame_get(d0, at, false, &pa, &page) == -EFAULT);
	CHECK(memory_unmap_page(d0, at) == -EINVAL);
}

static void run_devices(void *arg)
{
	struct domain *d;

	(void)arg;
	machine();
	d = make(1);
	CHECK(memory_populate(d, IPA(GUEST), 0) == 0);
	CHECK(memory_map_device(d, IPA(REGISTERS), PA(REGISTERS), PAGE_SIZE) ==
	      -EPERM); /* the hypervisor's */
	CHECK(memory_map_device(d, IPA(GUEST), PA(REGISTERS + MIB(1)), PAGE_SIZE) ==
	      -EINVAL); /* there is RAM */
	CHECK(memory_map_device(d, IPA(REGISTERS), frame_at(d, IPA(GUEST)), PAGE_SIZE) ==
	      -EPERM); /* that is RAM */
	CHECK(memory_map_device(d, IPA(REGISTERS), PA(REGISTERS + MIB(1)), 3 * PAGE_SIZE) == 0);
	CHECK(memory_lookup(d, IPA(REGISTERS)).kind == STAGE2_MMIO_STRICT);
	CHECK(memory_unmap_range(d, IPA(GUEST), PAGE_SIZE) == -EINVAL);
	CHECK(memory_unmap_range(d, IPA(REGISTERS), MIB(1)) == 0);
	CHECK(memory_lookup(d, IPA(REGISTERS)).kind == STAGE2_NONE);
}

/* Any allocation of domain_create may fail. */
static void run_create_fails_without_a_trace(void *arg)
{
	struct domain_config config = {.id = DOMID_ANY, .vcpus_max = 1, .pages_max = 1 << 20};
	struct domain *d;
	pa_t held[16384];
	unsigned n = 0;
	uint64_t before;

	(void)arg;
	machine();
	before = page_free_count();
	unit_fails = true;
	CHECK(domain_create(&config, &d) == -ENOMEM && page_free_count() == before);
	unit_fails = false;
	while ((held[n] = page_alloc(0)).raw != 0)
		n++;
	for (unsigned have = 0; have < 4; have++) {
		CHECK(page_free_count() == have);
		CHECK(domain_create(&config, &d) == -ENOMEM && page_free_count() == have);
		page_free(held[--n], 0);
	}
	CHECK(domain_create(&config, &d) == 0 && page_free_count() == 0);
	CHECK(memory_populate(d, IPA(GUEST), 0) == -ENOMEM && d->pages == 0);
	page_free(held[--n], 0); /* the frame is there, no table for it: nothing stays behind */
	CHECK(memory_populate(d, IPA(GUEST), 0) == -ENOMEM && d->pages == 0 && d->frames == 0);
	CHECK(domain_create(&(struct domain_config){.id = 1, .vcpus_max = 0}, &d) == -EINVAL);
	CHECK(domain_create(&(struct domain_config){.id = DOMID_FIRST_RESERVED, .vcpus_max = 1},
			    &d) == -EINVAL);
}

static void run_tables_are_limited(void *arg)
{
	struct domain *d;
	unsigned n = 0, steps;
	uint64_t before;

	(void)arg;
	machine();
	before = page_free_count();
	d = make(1);
	d->stage2.tables_max = 12;
	while (memory_populate(d, IPA(GUEST + n * MIB(2)), 0) == 0)
		n++;
	CHECK(n == 9 && d->stage2.tables == 12 &&
	      d->pages == 9); /* a root of two, one of level 2, the rest of level 3 */
	kill_until_gone(d, &steps);
	CHECK(page_free_count() == before);
}

/* The TLBs are invalidated for the domain's own address space, whichever is loaded. */
static void run_invalidates_its_own_address_space(void *arg)
{
	struct domain *d;

	(void)arg;
	machine();
	d = make(1);
	CHECK(memory_populate(d, IPA(GUEST), 0) == 0);
	fake_vttbr_el2 = 0x7e57ul << 48;
	fake_flushes = 0;
	CHECK(memory_unmap_page(d, IPA(GUEST)) == 0);
	CHECK(fake_flushes > 0 && fake_flushed_vttbr == d->stage2.vttbr &&
	      fake_vttbr_el2 == 0x7e57ul << 48);
	CHECK(d->stage2.vttbr >> 48 == d->slot + 1u);
}

/* Some domains do anything in any order, and end. All the time every frame is free, kept or somebody's. */
#define DOMAINS 4
#define REFS	64
static void run_random(void *arg)
{
	struct domain *d0, *d[DOMAINS] = {0};
	static struct {
		bool used;
	} shown[REFS]; /* pages of Dom0's space where others' are shown */
	uint64_t before;
	unsigned steps;

	machine();
	srandom((unsigned)(uintptr_t)arg);
	d0 = make_dom0();
	/* the space where Dom0 shows others' pages has its tables from now on */
	CHECK(memory_map_device(d0, IPA(0x38000000), PA(REGISTERS + MIB(1)), PAGE_SIZE) == 0);
	before = page_free_count();
	for (unsigned round = 0; round < 20000; round++) {
		unsigned i = (unsigned)random() % DOMAINS, page = (unsigned)random() % 1024,
			 ref = (unsigned)random() % REFS;
		ipa_t ipa = IPA(GUEST + page * PAGE_SIZE),
		      slot = IPA(0x38000000 + (1 + ref) * PAGE_SIZE);
		struct page *p;
		pa_t pa;

		if (d[i] == NULL) {
			d[i] = make(DOMID_ANY);
			continue;
		}
		switch (random() % 16) {
		case 0:
			if (random() % 16 == 0) {
				busy = (unsigned)random() % 3;
				kill_until_gone(d[i], &steps);
				d[i] = NULL;
			}
			break;
		case 1:
		case 2:
		case 3:
			(void)memory_populate(d[i], IPA(ALIGN_DOWN(ipa.raw, MIB(2))), 9);
			break;
		case 4:
		case 5:
		case 6:
			(void)memory_populate(d[i], ipa, 0);
			break;
		case 7:
		case 8:
			(void)memory_decrease(d[i], ipa, 0);
			break;
		case 9:
			(void)memory_decrease(d[i], IPA(ALIGN_DOWN(ipa.raw, 8 * PAGE_SIZE)), 3);
			break;
		case 10:
			(void)memory_unmap_page(d[i], ipa);
			break;
		case 11:
			if (shown[ref].used && memory_unmap_page(d0, slot) == 0)
				shown[ref].used = false;
			break;
		default:
			if (memory_frame_get(d[i], ipa, true, &pa, &p) != 0)
				break;
			CHECK(memory_map_page(d0, slot, pa, STAGE2_FOREIGN) == 0);
			shown[ref].used = true;
		}
		CHECK(fake_tlb_is_clean());
		if (domain_reap_wanted != 0)
			domain_reap();
		cpus_pass();
	}
	for (unsigned i = 0; i < DOMAINS; i++)
		if (d[i] != NULL)
			kill_until_gone(d[i], &steps);
	for (unsigned i = 0; i < REFS; i++)
		if (shown[i].used)
			CHECK(memory_unmap_page(d0, IPA(0x38000000 + (1 + i) * PAGE_SIZE)) == 0);
	if (domain_reap_wanted != 0)
		domain_reap();
	cpus_pass();
	CHECK(domain_next(1) == NULL);
	CHECK(page_free_count() == before);
}

#define TEST(name)                                                                                 \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		RUNS(run_##name, NULL);                                                            \
	}
TEST(a_life)
TEST(what_it_gave_up_is_free_at_once)
TEST(dom0_gets_its_own_frames_back)
TEST(a_reference_keeps_frame_and_domain)
TEST(grants_are_unmapped_only_where_they_are)
TEST(devices)
TEST(create_fails_without_a_trace)
TEST(tables_are_limited)
TEST(invalidates_its_own_address_space)

static void test_random(void **state)
{
	(void)state;
	for (uintptr_t seed = 1; seed <= 5; seed++)
		RUNS(run_random, (void *)seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_what_it_gave_up_is_free_at_once),
		cmocka_unit_test(test_dom0_gets_its_own_frames_back),
		cmocka_unit_test(test_a_reference_keeps_frame_and_domain),
		cmocka_unit_test(test_grants_are_unmapped_only_where_they_are),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_create_fails_without_a_trace),
		cmocka_unit_test(test_tables_are_limited),
		cmocka_unit_test(test_invalidates_its_own_address_space),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
