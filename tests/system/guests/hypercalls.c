/* Malformed hypercalls from Dom0's userland, through /dev/xen/privcmd: one line "name result" for each. The same program runs on
 * our hypervisor and on stock Xen, and the two lists have to be equal (tests/system/hypercalls). Everything happens to a domain
 * that it makes itself and destroys again.
 *
 *   hypercalls          the table
 *   hypercalls frames   number of free frames of the machine
 *   hypercalls pages D  how many frames domain D has, and may have
 *   hypercalls ahead D  the wall clock of domain D is two hours ahead from now on
 *   hypercalls cycle N  N domains with a vCPU and 4 MiB each, made and destroyed; free frames before and after */
#include "calls/dom0.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/memory.h>
#include <xen/platform.h>
#include <xen/sys/privcmd.h>
#include <xen/sysctl.h>

static int device;
uint8_t *buffer; /* locked memory */
uint16_t dom, own = 0;
bool privileged = true;

long call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	privcmd_hypercall_t c = {number, {a0, a1, a2, a3, 0}};
	long result = ioctl(device, IOCTL_PRIVCMD_HYPERCALL, &c);

	return result < 0 ? -errno : result;
}

/* A call that never comes back is the one after the last line. */
void say(const char *name, long result)
{
	printf("%s %ld\n", name, result);
	fflush(stdout);
}

void row_out(const char *name, const char *kind, unsigned number, long result)
{
	char full[80];

	if (kind)
		snprintf(full, sizeof(full), "dom0-%s%s%s", name, *kind ? "-" : "", kind);
	else
		snprintf(full, sizeof(full), "dom0-%s-%u", name, number);
	say(full, result);
}

/* ---- memory_op ------------------------------------------------------------------------------------------------------- */
static long reserve(unsigned cmd, uint16_t domain, uint64_t gfn, uint64_t count, unsigned order)
{
	struct xen_memory_reservation r = {
		.nr_extents = count, .extent_order = order, .domid = domain};

	memcpy(buffer + 2048, &gfn, sizeof(gfn));
	PTR(r.extent_start, buffer + 2048);
	return call(__HYPERVISOR_memory_op, cmd, in(&r, sizeof(r)), 0, 0);
}

static long add(uint16_t domain, unsigned space, uint64_t index, uint64_t gfn)
{
	struct xen_add_to_physmap a = {.domid = domain, .space = space, .idx = index, .gpfn = gfn};

	return call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, in(&a, sizeof(a)), 0, 0);
}

/* The result of the whole call, or of its one entry. */
static long foreign(uint16_t owner, uint64_t index, uint64_t gfn)
{
	struct xen_add_to_physmap_batch b = {.domid = dom,
					     .space = XENMAPSPACE_gmfn_foreign,
					     .size = 1,
					     .u.foreign_domid = owner};
	int error = 77;
	long result;

	memcpy(buffer + 1024, &index, sizeof(index));
	memcpy(buffer + 1032, &gfn, sizeof(gfn));
	memcpy(buffer + 1040, &error, sizeof(error));
	PTR(b.idxs, buffer + 1024);
	PTR(b.gpfns, buffer + 1032);
	PTR(b.errs, buffer + 1040);
	result = call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, in(&b, sizeof(b)), 0, 0);
	memcpy(&error, buffer + 1040, sizeof(error));
	return result ? result * 1000 : error;
}

static long acquire(struct xen_mem_acquire_resource r)
{
	return call(__HYPERVISOR_memory_op, XENMEM_acquire_resource, in(&r, sizeof(r)), 0, 0);
}

static long remove_gfn(uint16_t domain, uint64_t gfn)
{
	struct xen_remove_from_physmap r = {.domid = domain, .gpfn = gfn};

	return call(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, in(&r, sizeof(r)), 0, 0);
}

static long pod_target(unsigned cmd, uint16_t domain)
{
	xen_pod_target_t p = {.target_pages = 4, .domid = domain};

	return call(__HYPERVISOR_memory_op, cmd, in(&p, sizeof(p)), 0, 0);
}

static void table_memory(void)
{
	uint16_t nobody = 999;

	say("memory-unknown", call(__HYPERVISOR_memory_op, 60, in("", 1), 0, 0));
	say("memory-fault", call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, 16, 0, 0));
	say("populate-nobody", reserve(XENMEM_populate_physmap, 999, 0x40000, 1, 0));
	say("populate-order", reserve(XENMEM_populate_physmap, dom, 0x40000, 1, 40));
	say("populate-none", reserve(XENMEM_populate_physmap, dom, 0x40000, 0, 0));
	say("populate", reserve(XENMEM_populate_physmap, dom, 0x40000, 1, 0));
	say("populate-2m", reserve(XENMEM_populate_physmap, dom, 0x40200, 1, 9));
	say("address-size-late",
	    domctl(dom, XEN_DOMCTL_set_address_size, OP(address_size, {.size = 64})));
	say("populate-too-much", reserve(XENMEM_populate_physmap, dom, 0x41000, 1, 11));
	say("populate-outside", reserve(XENMEM_populate_physmap, dom, 1ul << 40, 1, 0));
	say("decrease-hole", reserve(XENMEM_decrease_reservation, dom, 0x90000, 1, 0));
	say("decrease-nobody", reserve(XENMEM_decrease_reservation, 999, 0x40000, 1, 0));
	say("add-unknown-space", add(dom, 9, 0, 0x38000));
	say("add-shared-info-1", add(dom, XENMAPSPACE_shared_info, 1, 0x38000));
	say("add-grant-far", add(dom, XENMAPSPACE_grant_table, 1000, 0x38000));
	say("add-grant", add(dom, XENMAPSPACE_grant_table, 0, 0x38000));
	say("add-foreign-without-batch", add(dom, XENMAPSPACE_gmfn_foreign, 0, 0x38000));
	say("add-nobody", add(999, XENMAPSPACE_shared_info, 0, 0x38000));
	say("foreign-nobody", foreign(nobody, 0x40000, 0x50000));
	say("foreign-itself", foreign(dom, 0x40000, 0x50000));
	say("foreign-hole", foreign(0, 0x3fffff, 0x50000));
	say("foreign-self", foreign(DOMID_SELF, 0x40000, 0x50000));
	say("remove-hole", remove_gfn(dom, 0x90000));
	say("remove-nobody", remove_gfn(999, 0x90000));
	say("reservation-nobody", call(__HYPERVISOR_memory_op, XENMEM_current_reservation,
				       in(&nobody, sizeof(nobody)), 0, 0));
	say("maximum-gpfn-nobody",
	    call(__HYPERVISOR_memory_op, XENMEM_maximum_gpfn, in(&nobody, sizeof(nobody)), 0, 0));
	say("maximum-gpfn",
	    call(__HYPERVISOR_memory_op, XENMEM_maximum_gpfn, in(&dom, sizeof(dom)), 0, 0));
	say("pod-target-nobody", pod_target(XENMEM_set_pod_target, 999));
	say("pod-target", pod_target(XENMEM_set_pod_target, dom));
	say("acquire-pad", acquire((struct xen_mem_acquire_resource){
				   .domid = dom, .type = XENMEM_resource_grant_table, .pad = 1}));
	say("acquire-type", acquire((struct xen_mem_acquire_resource){.domid = dom, .type = 9}));
	say("acquire-nobody", acquire((struct xen_mem_acquire_resource){
				      .domid = 999, .type = XENMEM_resource_grant_table}));
	say("acquire-id", acquire((struct xen_mem_acquire_resource){
				  .domid = dom, .type = XENMEM_resource_grant_table, .id = 9}));
	say("acquire-size", acquire((struct xen_mem_acquire_resource){
				    .domid = dom, .type = XENMEM_resource_grant_table}));
	say("acquire-count-without-list",
	    acquire((struct xen_mem_acquire_resource){
		    .domid = dom, .type = XENMEM_resource_grant_table, .nr_frames = 3}));
	say("acquire-self", acquire((struct xen_mem_acquire_resource){
				    .domid = DOMID_SELF, .type = XENMEM_resource_grant_table}));
}

/* ---- platform_op, sysctl --------------------------------------------------------------------------------------------- */
static void table_platform(void)
{
	struct xen_platform_op op = {.cmd = XENPF_settime64, .interface_version = 1};

	say("platform-version", call(__HYPERVISOR_platform_op, in(&op, sizeof(op)), 0, 0, 0));
	op = (struct xen_platform_op){.cmd = 999, .interface_version = XENPF_INTERFACE_VERSION};
	say("platform-unknown", call(__HYPERVISOR_platform_op, in(&op, sizeof(op)), 0, 0, 0));
	say("platform-fault", call(__HYPERVISOR_platform_op, 16, 0, 0, 0));
	op = (struct xen_platform_op){.cmd = XENPF_settime64,
				      .interface_version = XENPF_INTERFACE_VERSION};
	op.u.settime64.mbz = 1;
	say("platform-time-mbz", call(__HYPERVISOR_platform_op, in(&op, sizeof(op)), 0, 0, 0));
}

static long sysctl(struct xen_sysctl op)
{
	op.interface_version =
		op.interface_version ? op.interface_version : XEN_SYSCTL_INTERFACE_VERSION;
	return call(__HYPERVISOR_sysctl, in(&op, sizeof(op)), 0, 0, 0);
}

static void table_sysctl(void)
{
	say("sysctl-version",
	    sysctl((struct xen_sysctl){.cmd = XEN_SYSCTL_physinfo, .interface_version = 0x14}));
	say("sysctl-unknown", sysctl((struct xen_sysctl){.cmd = 999}));
	say("sysctl-fault", call(__HYPERVISOR_sysctl, 16, 0, 0, 0));
	say("sysctl-pool-77",
	    sysctl((struct xen_sysctl){
		    .cmd = XEN_SYSCTL_cpupool_op,
		    .u.cpupool_op = {.op = XEN_SYSCTL_CPUPOOL_OP_INFO, .cpupool_id = 77}}));
	say("sysctl-pool-op-99",
	    sysctl((struct xen_sysctl){.cmd = XEN_SYSCTL_cpupool_op, .u.cpupool_op = {.op = 99}}));
	say("sysctl-keys-fault",
	    sysctl((struct xen_sysctl){.cmd = XEN_SYSCTL_debug_keys,
				       .u.debug_keys = {.keys.q = 16, .nr_keys = 1}}));
	say("sysctl-keys-none", sysctl((struct xen_sysctl){.cmd = XEN_SYSCTL_debug_keys,
							   .u.debug_keys = {.keys.q = 16}}));
	memcpy(buffer + 2048, "}~", 2);
	say("sysctl-keys-unknown",
	    sysctl((struct xen_sysctl){
		    .cmd = XEN_SYSCTL_debug_keys,
		    .u.debug_keys = {.keys.q = (uint64_t)(uintptr_t)(buffer + 2048),
				     .nr_keys = 2}}));
#define POOL(name, ...)                                                                            \
	say("sysctl-pool-" name, sysctl((struct xen_sysctl){.cmd = XEN_SYSCTL_cpupool_op,          \
							    .u.cpupool_op = __VA_ARGS__}))
	POOL("move-self", {.op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, .domid = 0});
	POOL("move-self-77",
	     {.op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, .domid = 0, .cpupool_id = 77});
	POOL("move-domid-self", {.op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, .domid = DOMID_SELF});
	POOL("move-nobody",
	     {.op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, .domid = 999, .cpupool_id = 77});
	POOL("move-wide", {.op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, .domid = 1u << 16});
	POOL("move-77", {.op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, .domid = dom, .cpupool_id = 77});
	POOL("move-nowhere", {.op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, .domid = dom});
	POOL("create-scheduler",
	     {.op = XEN_SYSCTL_CPUPOOL_OP_CREATE, .cpupool_id = 5, .sched_id = 99});
	POOL("destroy-77", {.op = XEN_SYSCTL_CPUPOOL_OP_DESTROY, .cpupool_id = 77});
	POOL("destroy-0", {.op = XEN_SYSCTL_CPUPOOL_OP_DESTROY});
	POOL("add-77", {.op = XEN_SYSCTL_CPUPOOL_OP_ADDCPU, .cpupool_id = 77, .cpu = 0});
	POOL("add-taken", {.op = XEN_SYSCTL_CPUPOOL_OP_ADDCPU, .cpupool_id = 0, .cpu = 0});
	POOL("add-999", {.op = XEN_SYSCTL_CPUPOOL_OP_ADDCPU, .cpupool_id = 0, .cpu = 999});
	POOL("remove-77", {.op = XEN_SYSCTL_CPUPOOL_OP_RMCPU, .cpupool_id = 77, .cpu = 0});
	POOL("remove-999", {.op = XEN_SYSCTL_CPUPOOL_OP_RMCPU, .cpupool_id = 0, .cpu = 999});
	say("sysctl-list-fault",
	    sysctl((struct xen_sysctl){
		    .cmd = XEN_SYSCTL_getdomaininfolist,
		    .u.getdomaininfolist = {.first_domain = 0, .max_domains = 1, .buffer.q = 16}}));
	say("sysctl-list-none",
	    sysctl((struct xen_sysctl){.cmd = XEN_SYSCTL_getdomaininfolist,
				       .u.getdomaininfolist = {.first_domain = 30000,
							       .max_domains = 1,
							       .buffer.q = 16}}));
	say("sysctl-scheduler-9",
	    sysctl((struct xen_sysctl){.cmd = XEN_SYSCTL_scheduler_op,
				       .u.scheduler_op = {.cpupool_id = 77}}));
}

static uint64_t frames(void)
{
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_physinfo,
				.interface_version = XEN_SYSCTL_INTERFACE_VERSION};

	if (call(__HYPERVISOR_sysctl, in(&op, sizeof(op)), 0, 0, 0) != 0)
		exit(2);
	memcpy(&op, buffer, sizeof(op));
	return op.u.physinfo.free_pages + op.u.physinfo.scrub_pages;
}

/* What Dom0 has lent to map frames of others is missing here. */
static long dom0_pages(void)
{
	uint16_t self = DOMID_SELF;

	return call(__HYPERVISOR_memory_op, XENMEM_current_reservation, in(&self, sizeof(self)), 0,
		    0);
}

static int pages(uint16_t d)
{
	printf("%ld %ld\n",
	       call(__HYPERVISOR_memory_op, XENMEM_current_reservation, in(&d, sizeof(d)), 0, 0),
	       call(__HYPERVISOR_memory_op, XENMEM_maximum_reservation, in(&d, sizeof(d)), 0, 0));
	return 0;
}

static int cycle(unsigned count)
{
	uint64_t before = frames();

	for (unsigned i = 0; i < count; i++) {
		long error = create(config(), 0, &dom);

		error = error ? error
			      : domctl(dom, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 1}));
		error = error ? error
			      : domctl(dom, XEN_DOMCTL_set_paging_mempool_size,
				       OP(paging_mempool, {.size = 2 << 20}));
		error = error ? error
			      : domctl(dom, XEN_DOMCTL_max_mem, OP(max_mem, {.max_memkb = 8192}));
		error = error ? error : reserve(XENMEM_populate_physmap, dom, 0x40000, 1, 9) - 1;
		error = error ? error : reserve(XENMEM_populate_physmap, dom, 0x40201, 1, 0) - 1;
		error = error ? error : add(dom, XENMAPSPACE_grant_table, 5, 0x38005);
		error = error ? error : domctl(dom, XEN_DOMCTL_destroydomain, NONE);
		if (error) {
			printf("cycle %u failed: %ld\n", i, error);
			return 1;
		}
	}
	printf("cycles %u free frames before %lu after %lu\n", count, before, frames());
	return before == frames() ? 0 : 1;
}

int main(int argc, char **argv)
{
	device = open("/dev/xen/privcmd", O_RDWR);
	buffer = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (device < 0 || buffer == MAP_FAILED) {
		perror("hypercalls");
		return 2;
	}
	if (argc == 2 && strcmp(argv[1], "frames") == 0)
		return printf("%lu dom0 %ld\n", frames(), dom0_pages()) < 0;
	if (argc == 3 && strcmp(argv[1], "pages") == 0)
		return pages((uint16_t)atoi(argv[2]));
	if (argc == 3 && strcmp(argv[1], "ahead") == 0)
		return domctl((uint16_t)atoi(argv[2]), XEN_DOMCTL_settimeoffset,
			      OP(settimeoffset, {.time_offset_seconds = 7200})) != 0;
	if (argc == 3 && strcmp(argv[1], "cycle") == 0)
		return cycle((unsigned)atoi(argv[2]));
	if (create(config(), 0, &dom) != 0) {
		fprintf(stderr, "hypercalls: no domain can be made\n");
		return 2;
	}
	table_create();
	table_vcpus();
	table_pause();
	table_domctl_memory();
	table_memory();
	table_platform();
	table_sysctl();
	rows_of_everybody();
	say("destroy", domctl(dom, XEN_DOMCTL_destroydomain, NONE));
	say("destroy-again", domctl(dom, XEN_DOMCTL_destroydomain, NONE));
	return 0;
}
