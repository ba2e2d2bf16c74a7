#include "calls.h"
#include <xen/memory.h>

#define GFN  0x40a00ul	 /* of the guest's memory: two megabytes that are not in use */
#define HOLE 0x2000000ul /* nothing is there on QEMU's board, nor in a guest */
#define WIDE (1ul << 40)

static long memory(unsigned cmd, const void *op, size_t size)
{
	return call(__HYPERVISOR_memory_op, cmd, in(op, size), 0, 0);
}

static long reserve(uint64_t cmd, uint16_t domain, uint64_t gfn, uint64_t count, unsigned order,
		    unsigned flags)
{
	struct xen_memory_reservation r = {
		.nr_extents = count, .extent_order = order, .domid = domain, .mem_flags = flags};

	__builtin_memcpy(buffer + 2048, &gfn, sizeof(gfn));
	PTR(r.extent_start, buffer + 2048);
	return call(__HYPERVISOR_memory_op, cmd, in(&r, sizeof(r)), 0, 0);
}

static long add(uint16_t domain, unsigned space, uint64_t index, uint64_t gfn)
{
	struct xen_add_to_physmap a = {
		.domid = domain, .space = (uint16_t)space, .idx = index, .gpfn = gfn};

	return memory(XENMEM_add_to_physmap, &a, sizeof(a));
}

static long batch(struct xen_add_to_physmap_batch b, uint64_t index, uint64_t gfn)
{
	int error = 77;
	long result;

	__builtin_memcpy(buffer + 1024, &index, sizeof(index));
	__builtin_memcpy(buffer + 1032, &gfn, sizeof(gfn));
	__builtin_memcpy(buffer + 1040, &error, sizeof(error));
	if (!b.idxs.q)
		PTR(b.idxs, buffer + 1024);
	if (!b.gpfns.q)
		PTR(b.gpfns, buffer + 1032);
	if (!b.errs.q)
		PTR(b.errs, buffer + 1040);
	result = memory(XENMEM_add_to_physmap_batch, &b, sizeof(b));
	__builtin_memcpy(&error, buffer + 1040, sizeof(error));
	return result ? result * 1000 : error;
}
#define BATCH(index, gfn, ...)                                                                     \
	batch((struct xen_add_to_physmap_batch){.size = 1, __VA_ARGS__}, index, gfn)

static long acquire(struct xen_mem_acquire_resource r)
{
	return memory(XENMEM_acquire_resource, &r, sizeof(r));
}

static long remove_gfn(uint16_t domain, uint64_t gfn)
{
	return memory(XENMEM_remove_from_physmap,
		      &(struct xen_remove_from_physmap){.domid = domain, .gpfn = gfn}, 16);
}

static void rows_domains(void)
{
	FOR(k, 0)
	{
		row_kind("current-of", k, sign(memory(XENMEM_current_reservation, &k->id, 2)));
		row_kind("maximum-of", k, sign(memory(XENMEM_maximum_reservation, &k->id, 2)));
		row_kind("gpfn-of", k, sign(memory(XENMEM_maximum_gpfn, &k->id, 2)));
		row_kind("remove-hole-of", k, remove_gfn(k->id, HOLE));
		row_kind("remove-far-of", k, remove_gfn(k->id, ~0ul));
		row_kind("add-space-9-of", k, add(k->id, 9, 0, HOLE));
		row_kind("add-shared-1-of", k, add(k->id, XENMAPSPACE_shared_info, 1, HOLE));
		row_kind("add-gmfn-of", k, add(k->id, XENMAPSPACE_gmfn, HOLE, HOLE));
		row_kind("add-range-of", k, add(k->id, XENMAPSPACE_gmfn_range, HOLE, HOLE));
		row_kind("add-foreign-of", k, add(k->id, XENMAPSPACE_gmfn_foreign, HOLE, HOLE));
		row_kind("add-device-of", k, add(k->id, XENMAPSPACE_dev_mmio, 0x9010, HOLE));
		row_kind("add-grant-far-of", k, add(k->id, XENMAPSPACE_grant_table, 1000, HOLE));
		row_kind("add-grant-status-of", k,
			 add(k->id, XENMAPSPACE_grant_table, XENMAPIDX_grant_table_status, HOLE));
		row_kind("batch-space-9-of", k, BATCH(0, HOLE, .domid = k->id, .space = 9));
		row_kind("batch-foreign-of", k,
			 BATCH(HOLE, HOLE, .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign,
			       .u.foreign_domid = k->id));
		row_kind("batch-into", k,
			 BATCH(HOLE, HOLE, .domid = k->id, .space = XENMAPSPACE_gmfn_foreign,
			       .u.foreign_domid = dom));
		row_kind("acquire-of", k,
			 acquire((struct xen_mem_acquire_resource){.domid = k->id, .type = 9}));
		row_kind("acquire-grants-of", k,
			 acquire((struct xen_mem_acquire_resource){
				 .domid = k->id, .type = XENMEM_resource_grant_table}));
		row_kind("populate-of", k,
			 privileged && k->id == dom
				 ? 0
				 : reserve(XENMEM_populate_physmap, k->id, HOLE, 0, 0, 0));
		if (k >= &kinds[OTHERS]) {
			row_kind("populate-1-of", k,
				 reserve(XENMEM_populate_physmap, k->id, WIDE, 1, 0, 0));
			row_kind("decrease-1-of", k,
				 reserve(XENMEM_decrease_reservation, k->id, HOLE, 1, 0, 0));
		}
	}
}

/* Only a guest: nothing of Dom0's is given back. */
static void rows_extents(void)
{
	static const uint8_t orders[] = {4, 5, 9, 10, 18, 19, 40, 255};

	for (unsigned i = 0; i < COUNT(orders); i++) {
		bool fits = orders[i] <= 9;

		row_number("decrease-hole-order", orders[i],
			   reserve(XENMEM_decrease_reservation, DOMID_SELF, HOLE, 1, orders[i], 0));
		row_number("decrease-order", orders[i],
			   reserve(XENMEM_decrease_reservation, DOMID_SELF, fits ? GFN : HOLE, 1,
				   orders[i], 0));
		row_number("populate-order", orders[i],
			   reserve(XENMEM_populate_physmap, DOMID_SELF, fits ? GFN : HOLE, 1,
				   orders[i], 0));
	}
	row("increase", reserve(XENMEM_increase_reservation, DOMID_SELF, HOLE, 1, 0, 0));
	row("decrease-nothing", reserve(XENMEM_decrease_reservation, DOMID_SELF, GFN, 0, 0, 0));
	row("decrease-far", reserve(XENMEM_decrease_reservation, DOMID_SELF, ~0ul, 1, 0, 0));
	row("decrease-wide", reserve(XENMEM_decrease_reservation, DOMID_SELF, WIDE, 1, 0, 0));
	row("populate-far", reserve(XENMEM_populate_physmap, DOMID_SELF, ~0ul, 1, 0, 0));
	row("decrease-flags", reserve(XENMEM_decrease_reservation, DOMID_SELF, GFN, 1, 0, ~0u));
	row("populate-flags", reserve(XENMEM_populate_physmap, DOMID_SELF, GFN, 1, 0, 0xff));
}

void rows_memory(void)
{
	for (unsigned i = 0; i < 32; i++)
		row_number("memory-fault", i,
			   sign(call(__HYPERVISOR_memory_op, i, UNMAPPED, 0, 0)));
	row("memory-60", memory(60, "", 1));
	row("memory-negative", call(__HYPERVISOR_memory_op, ~0ul, UNMAPPED, 0, 0));
	row("memory-start-of-current",
	    call(__HYPERVISOR_memory_op, 1u << 6 | XENMEM_current_reservation, UNMAPPED, 0, 0));
	row("memory-start-of-add",
	    call(__HYPERVISOR_memory_op, 1u << 6 | XENMEM_add_to_physmap, UNMAPPED, 0, 0));
	row("memory-start-of-ram-page",
	    call(__HYPERVISOR_memory_op, 1u << 6 | XENMEM_maximum_ram_page, UNMAPPED, 0, 0));
	row("memory-start-of-sharing",
	    call(__HYPERVISOR_memory_op, 1u << 6 | XENMEM_get_sharing_freed_pages, UNMAPPED, 0, 0));
	row("memory-start-of-acquire",
	    call(__HYPERVISOR_memory_op, 1u << 6 | XENMEM_acquire_resource, UNMAPPED, 0, 0));
	row("populate-start", reserve(3u << 6 | XENMEM_populate_physmap, dom, WIDE, 1, 0, 0));
	row("populate-start-fault",
	    call(__HYPERVISOR_memory_op, 3u << 6 | XENMEM_populate_physmap, UNMAPPED, 0, 0));
	row("populate-many", reserve(XENMEM_populate_physmap, dom, WIDE, ~0ul, 0, 0));
	row("populate-list",
	    memory(XENMEM_populate_physmap,
		   &(struct xen_memory_reservation){.nr_extents = 1,
						    .domid = privileged ? dom : DOMID_SELF,
						    .extent_start.q = UNMAPPED},
		   32));
	row("batch-none",
	    batch((struct xen_add_to_physmap_batch){.domid = DOMID_SELF, .space = 9}, 0, HOLE));
	row("batch-fault", BATCH(0, HOLE, .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table,
				 .idxs.q = UNMAPPED));
	row("batch-gfn-fault", BATCH(0, HOLE, .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table,
				     .gpfns.q = UNMAPPED));
	row("batch-error-fault", BATCH(1000, HOLE, .domid = DOMID_SELF,
				       .space = XENMAPSPACE_grant_table, .errs.q = UNMAPPED));
	row("batch-shared", BATCH(1, HOLE, .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info));
	row("batch-shared-foreign", BATCH(1, HOLE, .domid = DOMID_SELF,
					  .space = XENMAPSPACE_shared_info, .u.foreign_domid = 1));
	row("batch-far", BATCH(1000, HOLE, .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table));
	row("batch-foreign-wide", BATCH(WIDE, HOLE, .domid = DOMID_SELF,
					.space = XENMAPSPACE_gmfn_foreign, .u.foreign_domid = dom));
	row("acquire-pad", acquire((struct xen_mem_acquire_resource){
				   .domid = dom, .type = XENMEM_resource_grant_table, .pad = 1}));
	row("acquire-id", acquire((struct xen_mem_acquire_resource){
				  .domid = dom, .type = XENMEM_resource_grant_table, .id = 9}));
	row("acquire-status", acquire((struct xen_mem_acquire_resource){
				      .domid = dom, .type = XENMEM_resource_grant_table, .id = 1}));
	row("acquire-ioreq", acquire((struct xen_mem_acquire_resource){
				     .domid = dom, .type = XENMEM_resource_ioreq_server}));
	row("acquire-trace", acquire((struct xen_mem_acquire_resource){
				     .domid = dom, .type = XENMEM_resource_vmtrace_buf}));
	row("acquire-3", acquire((struct xen_mem_acquire_resource){.domid = dom, .type = 3}));
	row("acquire-far", acquire((struct xen_mem_acquire_resource){
				   .domid = dom,
				   .type = XENMEM_resource_grant_table,
				   .frame = 1000,
				   .nr_frames = 1,
				   .frame_list.q = (uint64_t)(uintptr_t)(buffer + 2048)}));
	row("acquire-many", acquire((struct xen_mem_acquire_resource){
				    .domid = dom,
				    .type = XENMEM_resource_grant_table,
				    .nr_frames = ~0u,
				    .frame_list.q = (uint64_t)(uintptr_t)(buffer + 2048)}));
	row("acquire-list",
	    acquire((struct xen_mem_acquire_resource){.domid = dom,
						      .type = XENMEM_resource_grant_table,
						      .nr_frames = 1,
						      .frame_list.q = UNMAPPED}));
	rows_domains();
	if (!privileged)
		rows_extents();
}
