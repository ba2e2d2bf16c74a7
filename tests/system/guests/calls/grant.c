#include "calls.h"
#include <xen/grant_table.h>

#define OPS 13

static long grant_count(unsigned cmd, const void *op, size_t size, uint64_t count)
{
	return call(__HYPERVISOR_grant_table_op, cmd, in(op, size), count, 0);
}

/* The result of the whole call, or the status in its one entry. */
#define GRANT(cmd, type, ...)                                                                      \
	({                                                                                         \
		struct type entry_ = __VA_ARGS__;                                                  \
		long result_ = grant_count(GNTTABOP_##cmd, &entry_, sizeof(entry_), 1);            \
		__builtin_memcpy(&entry_, buffer, sizeof(entry_));                                 \
		result_ ? result_ * 1000 : entry_.status;                                          \
	})

static void rows_counts(void)
{
	static const uint64_t counts[] = {0, 1ul << 31, ~0ul, HIGH};
	static const uint8_t zeros[256];

	for (unsigned i = 0; i < OPS; i++) {
		for (unsigned k = 0; k < COUNT(counts); k++) {
			char name[] = "grant-count-0-of";

			name[12] = (char)('0' + k);
			row_number(name, i, grant_count(i, zeros, sizeof(zeros), counts[k]));
		}
		row_number("grant-fault", i, call(__HYPERVISOR_grant_table_op, i, UNMAPPED, 1, 0));
		row_number("grant-fault-2", i,
			   call(__HYPERVISOR_grant_table_op, i, UNMAPPED, 2, 0));
		row_number("grant-fault-0", i,
			   call(__HYPERVISOR_grant_table_op, i, UNMAPPED, 0, 0));
		row_number("grant-upper-bits", i,
			   call(__HYPERVISOR_grant_table_op, HIGH | i, UNMAPPED, 1, 0));
		row_number("grant-bit-12", i,
			   call(__HYPERVISOR_grant_table_op, 1u << 12 | i, UNMAPPED, 1, 0));
	}
	row("size-2", grant_count(GNTTABOP_query_size,
				  &(struct gnttab_query_size){.dom = DOMID_SELF}, 16, 2));
	row("setup-2", grant_count(GNTTABOP_setup_table,
				   &(struct gnttab_setup_table){.dom = DOMID_SELF}, 24, 2));
	row("status-frames-2",
	    grant_count(GNTTABOP_get_status_frames,
			&(struct gnttab_get_status_frames){.dom = DOMID_SELF}, 24, 2));
	row("get-version-2", grant_count(GNTTABOP_get_version,
					 &(struct gnttab_get_version){.dom = DOMID_SELF}, 8, 2));
	row("set-version-2-2",
	    grant_count(GNTTABOP_set_version, &(struct gnttab_set_version){.version = 2}, 4, 2));
}

static void rows_domains(void)
{
	FOR(k, 0)
	{
		row_kind("size-of", k, GRANT(query_size, gnttab_query_size, {.dom = k->id}));
		row_kind("setup-of", k, GRANT(setup_table, gnttab_setup_table, {.dom = k->id}));
		row_kind("setup-many-of", k,
			 GRANT(setup_table, gnttab_setup_table,
			       {.dom = k->id, .nr_frames = 100000}));
		row_kind("status-frames-of", k,
			 GRANT(get_status_frames, gnttab_get_status_frames, {.dom = k->id}));
		row_kind("status-frames-many-of", k,
			 GRANT(get_status_frames, gnttab_get_status_frames,
			       {.dom = k->id, .nr_frames = 100000}));
		row_kind("get-version-of", k,
			 grant_count(GNTTABOP_get_version,
				     &(struct gnttab_get_version){.dom = k->id}, 8, 1));
		row_kind("map-far-of", k,
			 GRANT(map_grant_ref, gnttab_map_grant_ref,
			       {.dom = k->id, .ref = ~0u, .flags = GNTMAP_host_map}));
		row_kind("map-empty-of", k,
			 GRANT(map_grant_ref, gnttab_map_grant_ref,
			       {.dom = k->id, .ref = 500, .flags = GNTMAP_host_map}));
		row_kind("copy-frame-of", k,
			 GRANT(copy, gnttab_copy,
			       {.source = {.domid = k->id, .u.gmfn = 0xfffff},
				.dest.domid = DOMID_SELF,
				.len = 8}));
		row_kind("copy-frame-to", k,
			 GRANT(copy, gnttab_copy,
			       {.source = {.domid = DOMID_SELF, .u.gmfn = 0xfffff},
				.dest.domid = k->id,
				.len = 8}));
		row_kind("copy-ref-of", k,
			 GRANT(copy, gnttab_copy,
			       {.source = {.domid = k->id, .u.ref = 500},
				.dest.domid = DOMID_SELF,
				.len = 8,
				.flags = GNTCOPY_source_gref}));
		row_kind("copy-far-ref-of", k,
			 GRANT(copy, gnttab_copy,
			       {.source = {.domid = k->id, .u.ref = ~0u},
				.dest.domid = DOMID_SELF,
				.len = 8,
				.flags = GNTCOPY_source_gref}));
	}
}

static long flush(uint64_t address, unsigned offset, unsigned length, uint32_t op)
{
	gnttab_cache_flush_t f = {.a.dev_bus_addr = address,
				  .offset = (uint16_t)offset,
				  .length = (uint16_t)length,
				  .op = op};

	return grant_count(GNTTABOP_cache_flush, &f, sizeof(f), 1);
}

static void rows_entries(void)
{
	static const uint32_t flags[] = {0, 1, 3, 4, 6, 8, 10, 16, 18, 32, 34, 64, 66, ~0u};

	for (unsigned i = 0; i < COUNT(flags); i++)
		row_number("map-flags", i,
			   GRANT(map_grant_ref, gnttab_map_grant_ref,
				 {.dom = dom, .ref = ~0u, .flags = flags[i]}));
	row("map-unaligned",
	    GRANT(map_grant_ref, gnttab_map_grant_ref,
		  {.dom = dom, .ref = ~0u, .flags = GNTMAP_host_map, .host_addr = 1}));
	row("unmap-handle", GRANT(unmap_grant_ref, gnttab_unmap_grant_ref, {.handle = 0xfffff}));
	row("unmap-last-handle", GRANT(unmap_grant_ref, gnttab_unmap_grant_ref, {.handle = ~0u}));
	row("replace-handle", GRANT(unmap_and_replace, gnttab_unmap_and_replace, {.handle = ~0u}));
	row("replace-new",
	    GRANT(unmap_and_replace, gnttab_unmap_and_replace, {.handle = ~0u, .new_addr = 4096}));
	row("copy-long", GRANT(copy, gnttab_copy,
			       {.source = {.domid = DOMID_SELF, .offset = 4090},
				.dest.domid = DOMID_SELF,
				.len = 8}));
	row("copy-long-to", GRANT(copy, gnttab_copy,
				  {.source.domid = DOMID_SELF,
				   .dest = {.domid = DOMID_SELF, .offset = 4090},
				   .len = 8}));
	row("copy-flags", GRANT(copy, gnttab_copy,
				{.source.domid = DOMID_SELF,
				 .dest.domid = DOMID_SELF,
				 .len = 8,
				 .flags = 0xfff0}));
	row("copy-wide-ref", GRANT(copy, gnttab_copy,
				   {.source = {.domid = dom, .u.gmfn = HIGH | 500},
				    .dest.domid = DOMID_SELF,
				    .len = 8,
				    .flags = GNTCOPY_source_gref}));
	row("copy-nothing-of-nobody",
	    GRANT(copy, gnttab_copy, {.source.domid = NOBODY, .dest.domid = NOBODY}));
	row("swap-far", GRANT(swap_grant_ref, gnttab_swap_grant_ref, {.ref_a = ~0u, .ref_b = 8}));
	row("swap-far-b",
	    GRANT(swap_grant_ref, gnttab_swap_grant_ref, {.ref_a = 500, .ref_b = ~0u}));
	row("swap-same",
	    GRANT(swap_grant_ref, gnttab_swap_grant_ref, {.ref_a = 500, .ref_b = 500}));
	row("swap-reserved",
	    GRANT(swap_grant_ref, gnttab_swap_grant_ref, {.ref_a = 7, .ref_b = 500}));
	row("transfer", GRANT(transfer, gnttab_transfer, {.mfn = ~0ul >> 12, .domid = dom}));
	row("dump", GRANT(dump_table, gnttab_dump_table, {.dom = NOBODY}));
	for (unsigned v = 0; v < 4; v++)
		if (v != 1)
			row_number("set-version", v,
				   grant_count(GNTTABOP_set_version,
					       &(struct gnttab_set_version){.version = v}, 4, 1));
	row("flush-question", flush(0, 0, 0, 0));
	row("flush-nothing-unknown", flush(0, 0, 0, 8));
	row("flush-offset-unknown", flush(0, 4096, 0, 8));
	row("flush-offset-only", flush(0, 4096, 0, 0));
	row("flush-offset", flush(0, 4096, 0, GNTTAB_CACHE_CLEAN));
	row("flush-length", flush(0, 0, 4097, GNTTAB_CACHE_CLEAN));
	row("flush-across", flush(0, 4095, 2, GNTTAB_CACHE_CLEAN));
	row("flush-unknown-op", flush(0, 0, 8, 4));
	row("flush-no-op", flush(0x9010000, 0, 8, 0));
	row("flush-by-reference", flush(0, 0, 8, GNTTAB_CACHE_SOURCE_GREF | GNTTAB_CACHE_CLEAN));
	row("flush-device", flush(0x9010000, 0, 8, GNTTAB_CACHE_CLEAN));
	row("flush-nowhere", flush(1ul << 46, 0, 8, GNTTAB_CACHE_INVAL));
	row("flush-of-xen", flush(0x40200000, 0, 8, GNTTAB_CACHE_CLEAN));
}

void rows_grants(void)
{
	row("grant-unknown", grant_count(99, "", 1, 1));
	row("grant-4095", grant_count(4095, "", 1, 1));
	row("grant-negative", grant_count(~0u, "", 1, 1));
	rows_counts();
	rows_domains();
	rows_entries();
}
