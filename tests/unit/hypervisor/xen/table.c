/* The hypercall table: numbers, copies, permissions, version gates. */
#include "core/event.h"
#include "core/grant.h"
#include "core/unit.h"
#include "fake/machine.h"
#include "fake/xen_machine.h"
#include "guest/trap.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AT (FAKE_GUEST + 0xff8) /* across two pages */
#define IN ((void *)(fake_guest + 0xff8))

static struct domain *d;
bool fake_interrupt;

static int setup(void **state)
{
	(void)state;
	d = fake_domain(2);
	d->privileged = true;
	fake_cpu->vcpu->work = 0;
	memset(fake_guest, 0, sizeof(fake_guest));
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	fake_domain_free(d);
	return 0;
}
static int64_t call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct frame f = {.x = {[0] = a0, [1] = a1, [2] = a2, [16] = number}};

	hypercall(fake_cpu->vcpu, &f);
	return (int64_t)f.x[0];
}

static void test_unknown_numbers(void **state)
{
	static const uint64_t numbers[] = {0, 6, 16, 19, 27, 39, 41, 42, 43, 63, ~0ul};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_int_equal(call(numbers[i], 0, 0, 0), -ENOSYS);
}

static void test_version_is_the_one_of_the_option(void **state)
{
	struct xen_feature_info *features = IN;
	char expected[16] = "-domus-";

	(void)state;
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_version, 0, 0), 0x40014);
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_extraversion, AT, 0), 0);
	assert_memory_equal(IN, expected, 7);
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_pagesize, 0, 0), 4096);
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_build_id, AT, 0), -ENODATA);
	features->submap_idx = 0;
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_get_features, AT, 0), 0);
	assert_true(features->submap >> XENFEAT_dom0 & 1);
	features->submap_idx = 1;
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_get_features, AT, 0), -EINVAL);
}

static void test_varbuf_commands(void **state)
{
	uint32_t *length = IN;

	(void)state;
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_commandline2, 0, 0), 11);
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_commandline2, AT, 0), -XEN_ENOBUFS);
	*length = 10;
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_commandline2, AT, 0), -XEN_ENOBUFS);
	*length = 11;
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_commandline2, AT, 0), 11);
	assert_memory_equal(length + 1, "dom0_mem=1G", 11);
	assert_int_equal(fake_guest[0xff8 + 4 + 11], 0);
}

static void test_addresses_that_are_not_memory(void **state)
{
	(void)state;
	assert_int_equal(call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, 0, 0), -EFAULT);
	assert_int_equal(call(__HYPERVISOR_sysctl, ~0ul - 8, 0, 0), -EFAULT);
	assert_int_equal(call(__HYPERVISOR_domctl, FAKE_GUEST + FAKE_GUEST_SIZE - 8, 0, 0),
			 -EFAULT);
}

static void test_version_gates_and_permissions(void **state)
{
	struct xen_sysctl *sysctl = IN;
	struct xen_domctl *domctl = IN;

	(void)state;
	*sysctl = (struct xen_sysctl){.cmd = XEN_SYSCTL_physinfo, .interface_version = 0x14};
	assert_int_equal(call(__HYPERVISOR_sysctl, AT, 0, 0), -EACCES);
	sysctl->interface_version = 0x15;
	assert_int_equal(call(__HYPERVISOR_sysctl, AT, 0, 0), 0);
	assert_int_equal(sysctl->u.physinfo.total_pages, 1000);
	assert_int_equal(sysctl->u.physinfo.capabilities, 0x109);
	sysctl->cmd = 99;
	assert_int_equal(call(__HYPERVISOR_sysctl, AT, 0, 0), -ENOSYS);
	*domctl = (struct xen_domctl){
		.cmd = XEN_DOMCTL_getdomaininfo, .interface_version = 0x16, .domain = d->id};
	assert_int_equal(call(__HYPERVISOR_domctl, AT, 0, 0), -EACCES);
	domctl->interface_version = 0x17;
	assert_int_equal(call(__HYPERVISOR_domctl, AT, 0, 0), 0);
	assert_int_equal(domctl->u.getdomaininfo.nr_online_vcpus, 2);
	assert_int_equal(domctl->u.getdomaininfo.gpaddr_bits, 40);
	domctl->domain = 0; /* 4.20 asks for one domain, not for the next */
	assert_int_equal(call(__HYPERVISOR_domctl, AT, 0, 0), -ESRCH);
	d->privileged = false;
	assert_int_equal(call(__HYPERVISOR_domctl, AT, 0, 0), -EPERM);
	assert_int_equal(call(__HYPERVISOR_sysctl, AT, 0, 0), -EPERM);
	assert_int_equal(call(__HYPERVISOR_console_io, CONSOLEIO_write, 1, AT), -EPERM);
	assert_int_equal(call(__HYPERVISOR_platform_op, AT, 0, 0), -EPERM);
}

static void test_multicall_stores_each_result(void **state)
{
	multicall_entry_t *entry = IN;

	(void)state;
	entry[0] = (multicall_entry_t){.op = __HYPERVISOR_xen_version, .args = {XENVER_version}};
	entry[1] = (multicall_entry_t){.op = __HYPERVISOR_multicall, .args = {AT, 1}};
	entry[2] = (multicall_entry_t){.op = 63};
	assert_int_equal(call(__HYPERVISOR_multicall, AT, 3, 0), 0);
	assert_int_equal(entry[0].result, 0x40014);
	assert_int_equal((int64_t)entry[1].result, -EINVAL);
	assert_int_equal((int64_t)entry[2].result, -ENOSYS);
	assert_int_equal(call(__HYPERVISOR_multicall, AT, 100, 0), 0); /* however many */
	assert_int_equal((int64_t)entry[99].result, -ENOSYS);
}

/* A guest must not keep the CPU by putting long calls into one. */
static void test_long_calls_stop_for_an_interrupt(void **state)
{
	struct frame f = {.x = {[0] = AT, [1] = 3, [16] = __HYPERVISOR_multicall}, .elr = 0x1000};
	struct xen_add_to_physmap_batch *batch = IN;
	multicall_entry_t *entry = IN;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		entry[i] = (multicall_entry_t){
			.op = __HYPERVISOR_xen_version, .args = {XENVER_version}, .result = 7};
	fake_interrupt = true;
	hypercall(fake_cpu->vcpu, &f);
	assert_int_equal(f.elr, 0xffc); /* on the HVC again, for the other two */
	assert_int_equal(f.x[0], AT + sizeof(*entry));
	assert_int_equal(f.x[1], 2);
	assert_int_equal(entry[0].result, 0x40014);
	assert_int_equal(entry[1].result, 7);

	*batch = (struct xen_add_to_physmap_batch){
		.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .size = 3};
	batch->idxs.q = batch->gpfns.q = batch->errs.q = FAKE_GUEST + 0x2000;
	f = (struct frame){
		.x = {[0] = XENMEM_add_to_physmap_batch, [1] = AT, [16] = __HYPERVISOR_memory_op},
		.elr = 0x1000};
	hypercall(fake_cpu->vcpu, &f);
	assert_int_equal(f.elr, 0xffc);
	assert_int_equal(f.x[0], 1 << 6 | XENMEM_add_to_physmap_batch);
	hypercall(fake_cpu->vcpu, &f);
	assert_int_equal(f.x[0], 2 << 6 | XENMEM_add_to_physmap_batch);
	hypercall(fake_cpu->vcpu, &f);
	assert_int_equal(f.x[0], 0);

	f = (struct frame){.x = {GNTTABOP_unmap_grant_ref, AT, 3, [16] = __HYPERVISOR_grant_table_op}};
	hypercall(fake_cpu->vcpu, &f);
	assert_int_equal(f.x[0], GNTTABOP_unmap_grant_ref); /* the rest of the array */
	assert_int_equal(f.x[1], AT + sizeof(struct gnttab_unmap_grant_ref));
	assert_int_equal(f.x[2], 2);
	fake_interrupt = false;
}

/* One piece of a write after the other, or the same once more, until it is done. */
static unsigned write_console(struct frame *f, unsigned most)
{
	unsigned calls = 0;

	fake_console_length = 0;
	do {
		f->elr = 0x1000;
		hypercall(fake_cpu->vcpu, f);
		calls++;
		fake_console_full = !fake_console_full && most != 0; /* every second time */
		assert_true(most == 0 || fake_console_length <= most * calls);
	} while (f->elr == 0xffc); /* on the HVC again */
	fake_console_full = false;
	return calls;
}

static void test_console_stops_for_an_interrupt_and_goes_on(void **state)
{
	const struct frame whole = {.x = {[0] = CONSOLEIO_write, [1] = 300, [2] = AT, [16] = __HYPERVISOR_console_io}};
	struct frame f = whole;

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		fake_guest[0xff8 + i] = (uint8_t)(' ' + i % 90);
	fake_interrupt = true;
	assert_int_equal(write_console(&f, 128), 5); /* 128, none, 128, none, 44 */
	fake_interrupt = false;
	assert_int_equal(f.x[0], 0);
	assert_int_equal(fake_console_length, 300);
	assert_memory_equal(fake_console, fake_guest + 0xff8, 300);

	f = whole;
	fake_console_full = true;
	assert_int_equal(write_console(&f, 0), 2); /* not at once, although no interrupt waits */
	assert_int_equal(fake_console_length, 300);
	assert_int_equal(call(__HYPERVISOR_console_io, 2, 1, AT), -ENOSYS);
}

/* Its frames of registers, one after the other. */
static void test_devices_are_given_back_in_steps(void **state)
{
	const struct unit *device = units_begin;
	unsigned calls = 1;
	int result;

	(void)state;
	while (device < units_end && strcmp(device->name, "device") != 0)
		device++;
	assert_true(device < units_end);
	d->privileged = false;
	d->id = 0; /* it is also the one that gets them */
	d->xen->iomem[0].first = 0x9000;
	d->xen->iomem[0].last = 0x9003;
	d->xen->iomem[5].first = 0x5000;
	d->xen->iomem[5].last = 0x5fff;
	fake_lookups = 0;
	fake_interrupt = true;
	for (; (result = device->domain_relinquish(d)) == -ERESTART; calls++)
		assert_int_equal(fake_lookups, calls);
	assert_int_equal(result, 0);
	assert_int_equal(calls, 4 + 0x1000 + 1);
	assert_int_equal(fake_lookups, 4 + 0x1000);
	assert_int_equal(device->domain_relinquish(d), 0); /* and nothing is left */
	assert_int_equal(fake_lookups, 4 + 0x1000);
	fake_interrupt = false;
}

/* 2 MiB of a guest's memory come in 32 steps, between which it takes interrupts; of an extent that fails half way nothing is left. */
static void test_a_large_extent_is_done_in_steps(void **state)
{
	struct xen_memory_reservation *r = IN;
	struct frame f = {
		.x = {[0] = XENMEM_populate_physmap, [1] = AT, [16] = __HYPERVISOR_memory_op}};
	unsigned calls = 1;

	(void)state;
	d->privileged = false;
	fake_populated = 0;
	*r = (struct xen_memory_reservation){
		.nr_extents = 2, .extent_order = 9, .domid = DOMID_SELF};
	r->extent_start.q = FAKE_GUEST + 0x2000;
	((uint64_t *)(void *)(fake_guest + 0x2000))[0] = 0x40000;
	((uint64_t *)(void *)(fake_guest + 0x2000))[1] = 0x40200;
	fake_memory_end = 0x40300000;
	fake_interrupt = true;
	for (hypercall(fake_cpu->vcpu, &f); f.x[0] == (calls << 6 | XENMEM_populate_physmap);
	     calls++)
		hypercall(fake_cpu->vcpu, &f);
	fake_interrupt = false;
	fake_memory_end = ~0ul;
	assert_int_equal(calls, 32 + 16 + 1);
	assert_int_equal(f.x[0], 1);
	assert_int_equal(fake_populated, 512);
	assert_int_equal(call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, AT, 0), 2);
	assert_int_equal(fake_populated, -512);
	r->extent_order = 10;
	assert_int_equal(call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, AT, 0), 0);
}

static void test_guests_do_not_see_the_command_line(void **state)
{
	(void)state;
	d->privileged = false;
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_commandline, AT, 0), 0);
	assert_string_equal(IN, "<denied>");
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_commandline2, 0, 0), -EPERM);
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_build_id, AT, 0), -EPERM);
}

/* Whatever they say. */
static void test_guests_have_no_tools(void **state)
{
	static const uint64_t calls[] = {__HYPERVISOR_platform_op, __HYPERVISOR_console_io,
					 __HYPERVISOR_sysctl, __HYPERVISOR_domctl,
					 __HYPERVISOR_arch_0};

	(void)state;
	d->privileged = false;
	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++)
		for (uint64_t op = 0; op < 64; op++) {
			assert_int_equal(call(calls[i], op, AT, AT), -EPERM);
			assert_int_equal(call(calls[i], AT, op, 0), -EPERM);
		}
	for (uint64_t op = 0; op < 64; op++)
		assert_int_equal(call(__HYPERVISOR_physdev_op, op, AT, AT), -ENOSYS);
}

static void test_guests_fill_no_log(void **state)
{
	unsigned lines = 0;

	(void)state;
	fake_counter = 100 * cpu_counter_frequency();
	for (unsigned i = 0; i < 1000; i++)
		lines += log_guest(d);
	assert_int_equal(lines, 11);
	fake_counter += 5 * cpu_counter_frequency();
	for (unsigned i = 0; i < 1000; i++)
		lines += log_guest(d);
	assert_int_equal(lines, 16);
}

static void test_vcpu_info_is_taken_once(void **state)
{
	struct vcpu_register_vcpu_info *op = IN;
	struct vcpu_info *info = (void *)(fake_guest + 0x2100);

	(void)state;
	d->vcpu[1]->online = false;
	*op = (struct vcpu_register_vcpu_info){.mfn = (FAKE_GUEST + 0x2000) >> 12,
					       .offset = 4096 - 40};
	assert_int_equal(call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, AT), -ENXIO);
	op->offset = 0x100;
	assert_int_equal(call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 2, AT), -ENOENT);
	assert_int_equal(call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, AT), 0);
	assert_int_equal(info->evtchn_upcall_pending, 1);
	assert_true(info->evtchn_pending_sel == ~0ul);
	assert_int_equal(call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, AT), -EBUSY);
}

static void test_params_of_a_local_xenstore_are_zero(void **state)
{
	struct xen_hvm_param *param = IN;

	(void)state;
	*param = (struct xen_hvm_param){
		.domid = DOMID_SELF, .index = HVM_PARAM_STORE_EVTCHN, .value = 7};
	assert_int_equal(call(__HYPERVISOR_hvm_op, HVMOP_get_param, AT, 0), 0);
	assert_int_equal(param->value, 0);
	assert_int_equal(call(__HYPERVISOR_hvm_op, HVMOP_set_param, AT, 0), -EPERM);
	param->index = 64;
	assert_int_equal(call(__HYPERVISOR_hvm_op, HVMOP_get_param, AT, 0), -EINVAL);
}

static int64_t flush(uint64_t address, unsigned offset, unsigned length, uint32_t op)
{
	gnttab_cache_flush_t *f = IN;

	*f = (gnttab_cache_flush_t){.a.dev_bus_addr = address,
				    .offset = (uint16_t)offset,
				    .length = (uint16_t)length,
				    .op = op};
	return call(__HYPERVISOR_grant_table_op, GNTTABOP_cache_flush, AT, 1);
}

static void test_cache_flush(void **state)
{
	uint64_t page = (uint64_t)fake_guest;
	uint32_t handle;
	pa_t bus;

	(void)state;
	fake_cleaned = fake_invalidated = 0;
	fake_owner = d->id;
	assert_int_equal(flush(0, 0, 0, 0),
			 0); /* Linux asks so whether there is such an operation */
	assert_int_equal(flush(page + 8, 100, 200, GNTTAB_CACHE_CLEAN), 0);
	assert_int_equal(fake_cleaned, 200);
	assert_int_equal(flush(page, 0, 4096, GNTTAB_CACHE_INVAL), 0);
	assert_int_equal(flush(page, 1, 4096, GNTTAB_CACHE_INVAL), -EINVAL);
	assert_int_equal(flush(page, 4096, 0, GNTTAB_CACHE_INVAL), -EINVAL);
	assert_int_equal(flush(page, 0, 8, 4), -EINVAL);
	assert_int_equal(flush(page, 0, 8, GNTTAB_CACHE_SOURCE_GREF | GNTTAB_CACHE_CLEAN), -EINVAL);
	assert_int_equal(fake_invalidated, 4096);
	fake_owner = 77; /* another's: only while it is mapped */
	assert_int_equal(flush(page, 0, 8, GNTTAB_CACHE_CLEAN), -EINVAL);
	fake_grants_forget();
	d->grants->frame[0][5] =
		(struct grant_entry){GRANT_ACCESS, d->id, FAKE_GUEST >> PAGE_SHIFT};
	assert_int_equal(grant_map(d, d, 5, IPA(0x80000000), false, &handle, &bus), GRANT_OKAY);
	assert_int_equal(bus.raw, page);
	assert_int_equal(flush(page, 0, 8, GNTTAB_CACHE_CLEAN), 0);
	assert_int_equal(flush(page + PAGE_SIZE, 0, 8, GNTTAB_CACHE_CLEAN), -EINVAL);
	assert_int_equal(grant_unmap(d, handle, IPA(0x80000000)), GRANT_OKAY);
	assert_int_equal(flush(page, 0, 8, GNTTAB_CACHE_CLEAN), -EINVAL);
	assert_int_equal(fake_cleaned, 208);
	/* the numbers above the operation are where it looks on; no other has any */
	assert_int_equal(call(__HYPERVISOR_grant_table_op, GNTTABOP_cache_flush | 1 << 12, AT, 0),
			 0);
	assert_int_equal(call(__HYPERVISOR_grant_table_op, GNTTABOP_query_size | 1 << 12, AT, 0),
			 -EINVAL);
	assert_int_equal(call(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, AT, 1u << 31),
			 -EINVAL);
	fake_owner = 1;
}

static void test_cache_flush_looks_on_where_it_stopped(void **state)
{
	struct frame f;
	struct grant_table *t = d->grants;
	unsigned calls = 0;

	(void)state;
	fake_owner = 77;
	while (t->maps < 100)
		t->map[t->maps++] = heap_pages(0);
	*(gnttab_cache_flush_t *)IN = (gnttab_cache_flush_t){
		.a.dev_bus_addr = (uint64_t)fake_guest, .length = 8, .op = GNTTAB_CACHE_CLEAN};
	t->map[99][5] = (struct maptrack){.used = true, .pa = (uint64_t)fake_guest};
	f = (struct frame){.x = {[0] = GNTTABOP_cache_flush,
				 [1] = AT,
				 [2] = 1,
				 [16] = __HYPERVISOR_grant_table_op}};
	do {
		f.elr = 4;
		hypercall(fake_cpu->vcpu, &f);
		calls++;
	} while (f.elr == 0); /* the same instruction again */
	assert_int_equal(f.x[0], 0);
	assert_int_equal(calls, 25); /* 12,677 handles, 512 at a time */
	t->map[99][5].used = false;
	fake_owner = 1;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_unknown_numbers),
		T(test_version_is_the_one_of_the_option),
		T(test_varbuf_commands),
		T(test_addresses_that_are_not_memory),
		T(test_version_gates_and_permissions),
		T(test_multicall_stores_each_result),
		T(test_long_calls_stop_for_an_interrupt),
		T(test_console_stops_for_an_interrupt_and_goes_on),
		T(test_devices_are_given_back_in_steps),
		T(test_a_large_extent_is_done_in_steps),
		T(test_guests_do_not_see_the_command_line),
		T(test_guests_have_no_tools),
		T(test_guests_fill_no_log),
		T(test_vcpu_info_is_taken_once),
		T(test_params_of_a_local_xenstore_are_zero),
		T(test_cache_flush),
		T(test_cache_flush_looks_on_where_it_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
