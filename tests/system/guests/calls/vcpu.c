#include "calls.h"
#include <xen/domctl.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>

static long sched(uint64_t cmd, const void *op, size_t size)
{
	return call(__HYPERVISOR_sched_op, cmd, in(op, size), 0, 0);
}

/* Of ports that are all `port`; a time that is over, so it never waits. */
static long poll(unsigned count, uint32_t port)
{
	struct sched_poll op = {.nr_ports = count, .timeout = 1};
	uint32_t *ports = (uint32_t *)(void *)(buffer + 2048);

	for (unsigned i = 0; i < 512; i++)
		ports[i] = port;
	PTR(op.ports, ports);
	return sched(SCHEDOP_poll, &op, sizeof(op));
}

static long watchdog(uint32_t id, uint32_t seconds)
{
	struct sched_watchdog op = {.id = id, .timeout = seconds};

	return sched(SCHEDOP_watchdog, &op, sizeof(op));
}

static void rows_sched(void)
{
	for (unsigned i = 2; i < 12; i++) /* not yield and block, which have no argument */
		row_number("sched-fault", i, call(__HYPERVISOR_sched_op, i, UNMAPPED, 0, 0));
	row("sched-99", sched(99, "", 1));
	row("sched-negative", sched(~0ul, "", 1));
	row("sched-upper-bits", sched(HIGH, "", 1));
	row("sched-upper-bits-fault",
	    call(__HYPERVISOR_sched_op, HIGH | SCHEDOP_poll, UNMAPPED, 0, 0));
	row("poll-none", poll(0, 0));
	row("poll-64", poll(64, 1));
	row("poll-65", poll(65, 1));
	row("poll-128", poll(128, 1));
	row("poll-129", poll(129, 1));
	row("poll-last", poll(~0u, 1));
	row("poll-port-0", poll(1, 0));
	row("poll-port-4096", poll(1, 4096));
	row("poll-port-far", poll(1, ~0u));
	row("poll-list",
	    sched(SCHEDOP_poll,
		  &(struct sched_poll){.nr_ports = 1, .ports.q = UNMAPPED, .timeout = 1}, 24));
	row("watchdog-3-0", watchdog(3, 0));
	row("watchdog-99", watchdog(99, 10));
	row("watchdog-99-0", watchdog(99, 0));
	row("watchdog-negative", watchdog(~0u, 10));
	row("watchdog-2", watchdog(2, 10));
	row("pin", sched(SCHEDOP_pin_override, &(struct sched_pin_override){.pcpu = 99}, 4));
	FOR(k, OTHERS + privileged) /* and not the own domain, whose end it would be */
	row_kind(
		"remote-shutdown", k,
		sched(SCHEDOP_remote_shutdown,
		      &(struct sched_remote_shutdown){.domain_id = k->id, .reason = SHUTDOWN_crash},
		      8));
	row("remote-shutdown-self",
	    sched(SCHEDOP_remote_shutdown, &(struct sched_remote_shutdown){.domain_id = DOMID_SELF},
		  8));
	if (!privileged)
		row("remote-shutdown-own",
		    sched(SCHEDOP_remote_shutdown,
			  &(struct sched_remote_shutdown){.domain_id = own}, 8));
}

static void rows_vcpu(void)
{
	static const struct kind ids[] = {{"0", 0}, {"7", 7}, {"999", 999}};

	for (unsigned i = 0; i < 18; i++)
		for (unsigned k = privileged; k < COUNT(ids); k++) {
			char name[] = "vcpu-0-of";

			name[5] = (char)('0' + k);
			row_number(name, i, call(__HYPERVISOR_vcpu_op, i, ids[k].id, UNMAPPED, 0));
		}
	row("vcpu-op-99", call(__HYPERVISOR_vcpu_op, 99, 0, UNMAPPED, 0));
	row("vcpu-op-99-of-99", call(__HYPERVISOR_vcpu_op, 99, 99, UNMAPPED, 0));
	row("vcpu-op-upper-bits",
	    call(__HYPERVISOR_vcpu_op, HIGH | VCPUOP_register_vcpu_info, 0, UNMAPPED, 0));
	row("vcpu-id-upper-bits",
	    call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, HIGH, UNMAPPED, 0));
	row("vcpu-id-negative",
	    call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, ~0ul, UNMAPPED, 0));
#define INFO(...)                                                                                  \
	call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0,                                   \
	     in(&(struct vcpu_register_vcpu_info)__VA_ARGS__,                                      \
		sizeof(struct vcpu_register_vcpu_info)),                                           \
	     0)
	row("info-offset", INFO({.mfn = 0x2000000, .offset = 4095}));
	row("info-offset-4096", INFO({.mfn = 0x2000000, .offset = 4096}));
	row("info-unaligned", INFO({.mfn = 0x2000000, .offset = 4}));
	row("info-hole", INFO({.mfn = 0x2000000}));
	row("info-far", INFO({.mfn = ~0ul}));
	row("info-reserved", INFO({.mfn = 0x2000000, .rsvd = 1}));
#define RUNSTATE(address)                                                                          \
	call(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0,                        \
	     in(&(struct vcpu_register_runstate_memory_area){.addr.p = (address)},                 \
		sizeof(struct vcpu_register_runstate_memory_area)),                                \
	     0)
	if (!privileged) {
		row("runstate-hole", RUNSTATE(UNMAPPED));
		row("runstate-unaligned", RUNSTATE((uint64_t)(uintptr_t)buffer + 4));
		row("runstate-wide", RUNSTATE(1ul << 47));
		row("runstate-none", RUNSTATE(0));
	}
}

void rows_vcpus(void)
{
	rows_sched();
	rows_vcpu();
}

/* Good ones and bad ones. */
void rows_refused(void)
{
	static struct xen_domctl d = {.interface_version = XEN_DOMCTL_INTERFACE_VERSION};
	static struct xen_sysctl s = {.interface_version = XEN_SYSCTL_INTERFACE_VERSION};
	static struct xen_platform_op p = {.interface_version = XENPF_INTERFACE_VERSION};

	for (unsigned i = 1; i < 92; i++) {
		d.cmd = i;
		d.domain = i % 2 ? dom : own;
		row_number("domctl", i, call(__HYPERVISOR_domctl, in(&d, sizeof(d)), 0, 0, 0));
	}
	for (unsigned i = 1; i < 32; i++) {
		s.cmd = i;
		row_number("sysctl", i, call(__HYPERVISOR_sysctl, in(&s, sizeof(s)), 0, 0, 0));
	}
	for (unsigned i = 1; i < 70; i++) {
		p.cmd = i;
		row_number("platform", i,
			   call(__HYPERVISOR_platform_op, in(&p, sizeof(p)), 0, 0, 0));
	}
	row("domctl-fault", call(__HYPERVISOR_domctl, UNMAPPED, 0, 0, 0));
	row("sysctl-fault", call(__HYPERVISOR_sysctl, UNMAPPED, 0, 0, 0));
	row("platform-fault", call(__HYPERVISOR_platform_op, UNMAPPED, 0, 0, 0));
	d.domain = NOBODY;
	row("domctl-nobody", call(__HYPERVISOR_domctl, in(&d, sizeof(d)), 0, 0, 0));
	d.interface_version = s.interface_version = p.interface_version = 1;
	row("domctl-version", call(__HYPERVISOR_domctl, in(&d, sizeof(d)), 0, 0, 0));
	row("sysctl-version", call(__HYPERVISOR_sysctl, in(&s, sizeof(s)), 0, 0, 0));
	row("platform-version", call(__HYPERVISOR_platform_op, in(&p, sizeof(p)), 0, 0, 0));
}
