/* The fake machine of the host tests: CPUs, a GIC with its list registers, memory from the host's heap. */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H
#include "arch/guest_timer.h"
#include "core/irq.h"
#include "core/vcpu.h"

#define FAKE_GICD   0x8000000ul
#define FAKE_GICR   0x80a0000ul
#define FAKE_LRS    4u
#define FAKE_DEVICE 40u /* this SPI is a machine's interrupt that belongs to the domain */
#define FAKE_SPIS   64u
#define FAKE_TIMERS 32u

extern struct timer *fake_timers[FAKE_TIMERS]; /* those that are set; NULL: free. More are forgotten */

struct fake_cpu_state {
	uint64_t lr[16], hcr;
	uint64_t ended;	     /* EOIs that found no list register */
	bool splits_end;     /* the guest's EOImode */
	uint32_t ppi_active; /* of the machine's private interrupts */
	struct guest_timer cntv;
	uint64_t cntv_offset;
};
extern struct fake_cpu_state fake_state[MAX_CPUS];
extern unsigned
	fake_deactivated; /* how often FAKE_DEVICE was deactivated, by the guest's EOI or by software */
extern uint32_t fake_pending_word;  /* GICD_ISPENDR1 of the machine */
extern irq_handler *fake_timer_irq; /* CNTV's, once vtimer_cpu_init() has registered it */
extern bool fake_enabled;	    /* FAKE_DEVICE in the machine's GIC */

/* A domain of n vCPUs on n CPUs, all online, GIC placed, CPU 0 current. */
struct domain *fake_domain(unsigned n);
void fake_domain_free(struct domain *d);
/* vCPU id's CPU becomes the one that runs; its work is done as on the way to the guest. */
struct vcpu *fake_run(struct domain *d, unsigned id);
/* The guest acknowledges on the running CPU: INTID, or 1023. Then it ends it. */
unsigned fake_acknowledge(void);
void fake_end(unsigned intid);
/* One emulated access of the running vCPU; fails the test when nothing answers. */
uint64_t fake_read(uint64_t ipa, unsigned size);
void fake_write(uint64_t ipa, unsigned size, uint64_t value);

#endif
