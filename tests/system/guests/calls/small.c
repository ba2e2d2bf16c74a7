#include "calls.h"
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/physdev.h>
#include <xen/version.h>

static long param(uint64_t cmd, uint16_t domain, unsigned index)
{
	struct xen_hvm_param p = {.domid = domain, .index = index};

	return call(__HYPERVISOR_hvm_op, cmd, in(&p, sizeof(p)), 0, 0);
}

static void rows_hvm(void)
{
	for (unsigned i = 0; i < 30; i++)
		row_number("hvm-fault", i, call(__HYPERVISOR_hvm_op, i, UNMAPPED, 0, 0));
	row("hvm-unknown", call(__HYPERVISOR_hvm_op, 99, UNMAPPED, 0, 0));
	row("hvm-negative", call(__HYPERVISOR_hvm_op, ~0ul, UNMAPPED, 0, 0));
	row("hvm-upper-bits", param(HIGH | HVMOP_get_param, DOMID_SELF, HVM_PARAM_STORE_PFN));
	FOR(k, 0)
	{
		row_kind("get-of", k, param(HVMOP_get_param, k->id, HVM_PARAM_STORE_EVTCHN));
		row_kind("get-3-of", k, param(HVMOP_get_param, k->id, 3));
		row_kind("get-1000-of", k, param(HVMOP_get_param, k->id, 1000));
		row_kind("get-monitor-of", k,
			 param(HVMOP_get_param, k->id, HVM_PARAM_MONITOR_RING_PFN));
		row_kind("set-of", k, param(HVMOP_set_param, k->id, HVM_PARAM_STORE_EVTCHN));
		row_kind("set-3-of", k, param(HVMOP_set_param, k->id, 3));
		row_kind("set-1000-of", k, param(HVMOP_set_param, k->id, 1000));
		row_kind("set-monitor-of", k,
			 param(HVMOP_set_param, k->id, HVM_PARAM_MONITOR_RING_PFN));
	}
	for (unsigned i = 0; i < 66; i++) {
		row_number("get-own", i, param(HVMOP_get_param, DOMID_SELF, i));
		row_number("set-own", i, param(HVMOP_set_param, DOMID_SELF, i));
		row_number("get-other", i, param(HVMOP_get_param, dom, i));
	}
}

static long version(uint64_t cmd, uint64_t at)
{
	return sign(call(__HYPERVISOR_xen_version, cmd, at, 0, 0));
}

static void rows_version(void)
{
	for (unsigned i = 0; i < 18; i++) {
		row_number("version-fault", i, version(i, UNMAPPED));
		if (i > 9 || i == XENVER_pagesize)
			row_number("version-null", i, version(i, 0));
		row_number("version-upper-bits", i, version(HIGH | i, UNMAPPED));
		if (i >= 10) {
			row_number("version-room-0", i, version(i, in(&(uint32_t){0}, 4)));
			row_number("version-room-1", i, version(i, in(&(uint32_t){1}, 4)));
		}
	}
	row("version-99", version(99, UNMAPPED));
	row("version-negative", version(~0ul, UNMAPPED));
	row("features-1",
	    version(XENVER_get_features, in(&(struct xen_feature_info){.submap_idx = 1}, 8)));
	row("features-last",
	    version(XENVER_get_features, in(&(struct xen_feature_info){.submap_idx = ~0u}, 8)));
}

static void rows_multicall(void)
{
	multicall_entry_t *m = (multicall_entry_t *)(void *)buffer;

	for (unsigned i = 0; i < 128; i++) /* two pages */
		m[i] = (multicall_entry_t){.op = __HYPERVISOR_xen_version};
	row("multicall-fault", call(__HYPERVISOR_multicall, UNMAPPED, 1, 0, 0));
	row("multicall-none", call(__HYPERVISOR_multicall, UNMAPPED, 0, 0, 0));
	row("multicall-upper-bits", call(__HYPERVISOR_multicall, UNMAPPED, HIGH, 0, 0));
	row("multicall-many-fault", call(__HYPERVISOR_multicall, UNMAPPED, ~0u, 0, 0));
	row("multicall-64", call(__HYPERVISOR_multicall, (uint64_t)(uintptr_t)m, 64, 0, 0));
	row("multicall-65", call(__HYPERVISOR_multicall, (uint64_t)(uintptr_t)m, 65, 0, 0));
	row("multicall-128", call(__HYPERVISOR_multicall, (uint64_t)(uintptr_t)m, 128, 0, 0));
	row("multicall-last-result", sign((long)m[127].result));
	m[0] = (multicall_entry_t){.op = __HYPERVISOR_multicall, .args = {UNMAPPED, 1}};
	row("multicall-nested", call(__HYPERVISOR_multicall, (uint64_t)(uintptr_t)m, 1, 0, 0));
	row("multicall-nested-result", (long)m[0].result);
	m[0] = (multicall_entry_t){.op = 63};
	row("multicall-63", call(__HYPERVISOR_multicall, (uint64_t)(uintptr_t)m, 1, 0, 0));
	row("multicall-63-result", (long)m[0].result);
	m[0] = (multicall_entry_t){.op = HIGH | __HYPERVISOR_xen_version};
	row("multicall-wide", call(__HYPERVISOR_multicall, (uint64_t)(uintptr_t)m, 1, 0, 0));
	row("multicall-wide-result", sign((long)m[0].result));
}

static void rows_assist(void)
{
	for (unsigned i = 0; i < 7; i++) {
		row_number("assist-type", i,
			   i == 5 ? 0 : call(__HYPERVISOR_vm_assist, VMASST_CMD_enable, i, 0, 0));
		row_number("assist-cmd-2-type", i, call(__HYPERVISOR_vm_assist, 2, i, 0, 0));
	}
	row("assist-type-64", call(__HYPERVISOR_vm_assist, 0, 64, 0, 0));
	row("assist-both", call(__HYPERVISOR_vm_assist, ~0u, ~0u, 0, 0));
	row("assist-upper-bits",
	    call(__HYPERVISOR_vm_assist, HIGH | VMASST_CMD_disable, HIGH | 4, 0, 0));
	row("assist-cmd-upper-bits", call(__HYPERVISOR_vm_assist, HIGH | 2, 5, 0, 0));
}

static void rows_numbers(void)
{
	static const uint8_t ours[] = {7, 12, 13, 17, 18, 20, 21, 24, 29, 32, 33, 34, 35, 36};
	unsigned next = 0;

	for (unsigned i = 0; i < 66; i++)
		if (next < COUNT(ours) && ours[next] == i)
			next++;
		else
			row_number("number", i, call(i, ~0ul, UNMAPPED, 0, 0));
	row("number-negative", call(~0ul, 0, 0, 0, 0));
	row("number-upper-bits", sign(call(HIGH | __HYPERVISOR_xen_version, 0, 0, 0, 0)));
	for (unsigned i = 0; i < 32; i++)
		row_number("physdev-fault", i, call(__HYPERVISOR_physdev_op, i, UNMAPPED, 0, 0));
	row("physdev-99", call(__HYPERVISOR_physdev_op, 99, UNMAPPED, 0, 0));
	for (unsigned i = 0; i < 3; i++)
		row_number("console-fault", i, call(__HYPERVISOR_console_io, i, 8, UNMAPPED, 0));
	row("console-99", call(__HYPERVISOR_console_io, 99, 8, UNMAPPED, 0));
	row("console-negative", call(__HYPERVISOR_console_io, 0, ~0u, UNMAPPED, 0));
	row("console-read-negative", call(__HYPERVISOR_console_io, 1, ~0u, UNMAPPED, 0));
	row("console-read-none", call(__HYPERVISOR_console_io, 1, 0, UNMAPPED, 0));
	row("console-write-none", call(__HYPERVISOR_console_io, 0, 0, UNMAPPED, 0));
	row("console-upper-bits", call(__HYPERVISOR_console_io, HIGH, HIGH, UNMAPPED, 0));
}

void rows_small(void)
{
	rows_hvm();
	rows_version();
	rows_multicall();
	rows_assist();
	rows_numbers();
}
