/* Hypercalls as data. A hypercall is a row of the table in xen/table.c; most have operations, which are rows of a table of
 * their own: how big the structure is, whether it goes back, who may ask. xen/table.c copies, the handlers compute. */
#ifndef XEN_HYPERCALL_H
#define XEN_HYPERCALL_H
#include "core/vcpu.h"

#define HYPERCALL_ARGUMENTS 5
#define OP_MAX_SIZE	    152 /* of a structure; sysctl and domctl are the biggest */

/* A whole hypercall: arguments as the guest gave them, result for x0. */
typedef int64_t hypercall_handler(struct vcpu *v, const uint64_t *a);

/* A call that takes long stops where it stands when vcpu_should_yield() says so, and returns what this returns: the guest takes
 * the interrupt and then issues the call again, with a0 and a1 as its first two arguments, and v->restart[2], which is what it was
 * unless the handler changes it, as the third. */
int64_t hypercall_restart(struct vcpu *v, uint64_t a0, uint64_t a1);

/* One operation. `in`: our copy of the structure, changed in place; `at`: where the guest has it. */
typedef int64_t op_handler(struct vcpu *v, void *in, gva_t at);

enum op_flags {
	OP_OUT = 1,	   /* the structure goes back to the guest when the result is >= 0 */
	OP_PRIVILEGED = 2, /* Dom0 only: else -EPERM */
	OP_ONE = 4,	   /* of grants: an array of one, else -EINVAL */
	OP_SINGLE = 8,	   /* of grants: no array, whatever the count says */
};

struct op {
	op_handler *run; /* NULL: -ENOSYS */
	uint16_t size;
	uint8_t flags;
};

/* Runs row `cmd` of a table with the structure at `at`. */
int64_t op_run(struct vcpu *v, const struct op *table, unsigned rows, uint64_t cmd, gva_t at);

/* The domain that a domid of a hypercall means: -ESRCH, there is none, *out is NULL; -EPERM: there is one, but the caller may name
 * DOMID_SELF and its own number only, as it is not Dom0. */
int domain_by_id(struct vcpu *v, uint16_t id, struct domain **out);

#define IOMEM_RANGES 16

/* State of a domain that only the ABI knows. */
struct xen_domain {
	struct shared_info *shared;
	uint64_t time_offset; /* seconds that its wall clock is ahead, modulo 2^64 */
	uint64_t hvm_param[64];
	struct page *info_page[MAX_VCPUS];	  /* where vcpu_info lies: a reference each */
	struct page *runstate_page[MAX_VCPUS][2]; /* the same for struct runstate_info; event lock */
	struct {
		uint64_t first, last; /* frame numbers, both included; 0, 0: free */
	} iomem[IOMEM_RANGES];
};
uint64_t *hvm_param(struct domain *d, unsigned index); /* NULL: not one of them */
/* Wall clock of all domains: nanoseconds since 1970 when the hypervisor's time was 0. */
void wallclock_set(uint64_t boot_ns);

hypercall_handler hypercall_version, hypercall_memory, hypercall_event, hypercall_grant,
	hypercall_vcpu, hypercall_sched, hypercall_hvm, hypercall_console, hypercall_sysctl,
	hypercall_domctl, hypercall_platform, hypercall_physdev, hypercall_vm_assist, hypercall_power;

/* xen/cpupool_op.c: commands of sysctl. */
struct xen_sysctl;
int64_t sysctl_cpupool(struct vcpu *v, struct xen_sysctl *op);
int64_t sysctl_scheduler(struct vcpu *v, struct xen_sysctl *op);
int64_t sysctl_sched_id(struct vcpu *v, struct xen_sysctl *op);

struct xen_domctl_getdomaininfo;
void domain_info(const struct domain *d, struct xen_domctl_getdomaininfo *out);
/* Writes the numbers below `count` of pCPUs as a bitmap of nr_bits bits at `at`. */
int cpumap_out(struct vcpu *v, uint64_t map, uint64_t at, uint32_t nr_bits);

#endif
