/* Interrupts of the machine: who handles them. Above drivers/gicv3, which acknowledges and ends them. */
#ifndef CORE_IRQ_H
#define CORE_IRQ_H
#include "core/vcpu.h"

#define IRQ_MAX 1020

/* Host SGIs. */
enum { SGI_KICK = 0, SGI_STOP = 1, SGI_FORGET = 2 /* domain_cpu_passed() */ };

/* Runs on the CPU that took the interrupt, interrupts masked. For PPIs once on each CPU. */
typedef void irq_handler(unsigned intid, void *arg);

/* The hypervisor's own: `edge` is the trigger (of SPIs; PPIs keep what they are). Enables it: an SPI on CPU 0, a PPI or SGI on
 * the calling CPU (call irq_enable_here() on the others). -EBUSY when somebody has it. */
int irq_register(unsigned intid, bool edge, irq_handler *handler, void *arg);
void irq_enable_here(unsigned intid);
/* As irq_register(), for an interrupt that stands for one of the guest's own (its timer): the handler's end drops the priority
 * only. The guest's deactivation, or irq_guest_deactivate() on the same CPU, ends it. */
int irq_register_forwarded(unsigned intid, irq_handler *handler);
/* For devices passed through: SPI `intid` goes to the domain as virtual SPI `intid`. The guest's own programming of the vGIC
 * (enable, trigger, priority, route) reaches the machine through the functions below. -EBUSY: hypervisor's or another domain's. */
int irq_route_guest(unsigned intid, struct domain *d);
int irq_unroute_guest(unsigned intid, struct domain *d);
/* From Dom0, which must have it disabled, or from nobody to d; and back to Dom0, quiet. -EBUSY, -EINVAL. */
int irq_take(unsigned intid, struct domain *d);
int irq_give_back(unsigned intid, struct domain *d);
/* The domain that a machine SPI belongs to; NULL: none or the hypervisor's. */
struct domain *irq_owner(unsigned intid);
/* For vgic, for SPIs that are in the domain's irqs[]: mirror the guest's wishes. `cpu` is where its target vCPU lives. */
void irq_guest_trigger(unsigned intid, bool edge);
void irq_guest_target(unsigned intid, struct cpu *cpu);
/* The CPU goes off (online is false): what is routed to it goes to CPU 0. On that CPU. */
void irq_cpu_leave(struct cpu *c);
/* For vgic: the guest deactivates (or loses) an interrupt that the machine still holds active: priority was dropped at the
 * acknowledge; a list register with HW=1 does this by itself. */
void irq_guest_deactivate(unsigned intid);

/* Takes the pending interrupt of this CPU that has the highest priority; another one brings the CPU back at once. From the IRQ
 * vector and from the wait loops. A guest's SPI is acknowledged, its priority dropped (not deactivated) and marked in the vCPU
 * that lives on this CPU. */
void irq_dispatch(void);

#endif
