/* Firmware calls of a guest: PSCI 1.1 (Arm DEN 0022) and SMCCC 1.1 (Arm DEN 0028), by hvc #0 or smc #0. */
#include "arch/psci.h"
#include "core/memory.h"
#include "core/sched.h"
#include "core/vcpu.h"
#include "guest/trap.h"
#include "lib/bits.h"

enum {
	SUCCESS = 0,
	NOT_SUPPORTED = -1,
	INVALID_PARAMETERS = -2,
	ALREADY_ON = -4,
	ON_PENDING = -5,
	INVALID_ADDRESS = -9,
};

/* Function identifiers without bit 30, which says that arguments have 64 bits. */
#define FN_64		    0x40000000u
#define PSCI_FIRST	    0x84000000u
#define PSCI_VERSION	    0x84000000u
#define PSCI_CPU_SUSPEND    0x84000001u
#define PSCI_CPU_OFF	    0x84000002u
#define PSCI_CPU_ON	    0x84000003u
#define PSCI_AFFINITY_INFO  0x84000004u
#define PSCI_MIGRATE_TYPE   0x84000006u
#define PSCI_SYSTEM_OFF	    0x84000008u
#define PSCI_SYSTEM_RESET   0x84000009u
#define PSCI_FEATURES	    0x8400000au
#define SMCCC_VERSION	    0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_WORKAROUND_1  0x80008000u
#define SMCCC_WORKAROUND_2  0x80007fffu
#define SMCCC_WORKAROUND_3  0x80003fffu
#define VENDOR_HYP_UID	    0x8600ff01u
#define VENDOR_HYP_REVISION 0x8600ff03u
#define SUSPEND_RESERVED                                                                           \
	0xfcfe0000u /* power_state, original format: bits that must be 0 (DEN 0022, 5.4.2) */

/* The vCPU with this affinity; NULL when there is none or reserved bits are set. */
static struct vcpu *vcpu_of(struct domain *d, uint64_t affinity)
{
	uint64_t id = (affinity & 0xff) | (affinity >> 8 & 0xff) << 4;

	if (affinity & ~0xff0ful || id >= d->vcpus_max)
		return NULL;
	return d->vcpu[id];
}

static RARE int64_t affinity_info(struct vcpu *v, uint64_t affinity, uint64_t level, uint64_t unused)
{
	struct vcpu *t = vcpu_of(v->domain, affinity);

	(void)unused;
	if (!t || level != 0)
		return INVALID_PARAMETERS;
	switch (ATOMIC_READ(t->online)) {
	case VCPU_OFF:
		return 1;
	case VCPU_ON_PENDING:
		return 2;
	}
	return 0;
}

static RARE int64_t cpu_on(struct vcpu *v, uint64_t affinity, uint64_t entry, uint64_t context)
{
	struct vcpu *t = vcpu_of(v->domain, affinity);

	if (!t)
		return INVALID_PARAMETERS;
	if (entry & 3 || memory_lookup(v->domain, IPA(entry)).kind != STAGE2_RAM)
		return INVALID_ADDRESS;
	/* vcpu_start() decides who wins when two CPUs start the same third */
	switch (vcpu_start(t, entry, context)) {
	case VCPU_OFF:
		return SUCCESS;
	case VCPU_ON_PENDING:
		return ON_PENDING;
	case VCPU_ON:
		break;
	}
	return ALREADY_ON;
}

static int64_t version(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3)
{
	(void)v, (void)a1, (void)a2, (void)a3;
	return 0x10001;
}

static int64_t cpu_suspend(struct vcpu *v, uint64_t power_state, uint64_t a2, uint64_t a3)
{
	(void)a2, (void)a3;
	if (power_state & SUSPEND_RESERVED)
		return INVALID_PARAMETERS;
	/* every state is taken as standby, which the specification allows for power-down states (5.4.1) */
	sched_block(v);
	return SUCCESS;
}

static int64_t cpu_off(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3)
{
	(void)a1, (void)a2, (void)a3;
	vcpu_stop(v);
	return SUCCESS; /* seen by nobody: the vCPU stops on its way out */
}

static int64_t migrate_type(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3)
{
	(void)v, (void)a1, (void)a2, (void)a3;
	return 2; /* there is no trusted OS that would have to migrate */
}

static int64_t system_off(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3)
{
	(void)a1, (void)a2, (void)a3;
	domain_shutdown(v->domain, SHUT_POWEROFF);
	return SUCCESS;
}

static int64_t system_reset(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3)
{
	(void)a1, (void)a2, (void)a3;
	domain_shutdown(v->domain, SHUT_REBOOT);
	return SUCCESS;
}

static int64_t psci_features(struct vcpu *v, uint64_t function, uint64_t a2, uint64_t a3);

/* By number; `wide`: it has a 64-bit variant too. */
static const struct psci_call {
	int64_t (*run)(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3);
	bool wide;
} psci_calls[] = {
	[PSCI_VERSION - PSCI_FIRST] = {version, false},
	[PSCI_CPU_SUSPEND - PSCI_FIRST] = {cpu_suspend, true},
	[PSCI_CPU_OFF - PSCI_FIRST] = {cpu_off, false},
	[PSCI_CPU_ON - PSCI_FIRST] = {cpu_on, true},
	[PSCI_AFFINITY_INFO - PSCI_FIRST] = {affinity_info, true},
	[PSCI_MIGRATE_TYPE - PSCI_FIRST] = {migrate_type, false},
	[PSCI_SYSTEM_OFF - PSCI_FIRST] = {system_off, false},
	[PSCI_SYSTEM_RESET - PSCI_FIRST] = {system_reset, false},
	[PSCI_FEATURES - PSCI_FIRST] = {psci_features, false},
};

/* NULL: there is no such function. */
static const struct psci_call *psci_find(uint32_t function)
{
	uint32_t number = (function & ~FN_64) - PSCI_FIRST;

	if (number >= ARRAY_SIZE(psci_calls) || !psci_calls[number].run ||
	    (function & FN_64 && !psci_calls[number].wide))
		return NULL;
	return &psci_calls[number];
}

static int64_t psci_features(struct vcpu *v, uint64_t function, uint64_t a2, uint64_t a3)
{
	(void)v, (void)a2, (void)a3;
	return psci_find((uint32_t)function) || (uint32_t)function == SMCCC_VERSION ? SUCCESS
										    : NOT_SUPPORTED;
}

/* What the machine's firmware says of a workaround, for guests that ask (DEN 0028, 7.5 and following). */
static RARE int64_t workaround_state(uint32_t function)
{
	int64_t state;

	if (psci_version() < 0x10000 ||
	    (int32_t)firmware_call(PSCI_FEATURES, SMCCC_VERSION, 0, 0) < 0)
		return NOT_SUPPORTED; /* SMCCC 1.0: the question itself could be fatal */
	state = (int32_t)firmware_call(SMCCC_ARCH_FEATURES, function, 0, 0);
	/* a switch of the whole CPU, for all that runs there: it stays on, and guests hear that there is nothing to do */
	return function == SMCCC_WORKAROUND_2 && state == 0 ? 1 : state;
}

static RARE int64_t arch_features(uint64_t function)
{
	switch ((uint32_t)function) {
	case SMCCC_VERSION:
	case SMCCC_ARCH_FEATURES:
		return SUCCESS;
	case SMCCC_WORKAROUND_1:
	case SMCCC_WORKAROUND_2:
	case SMCCC_WORKAROUND_3:
		return workaround_state((uint32_t)function);
	}
	return NOT_SUPPORTED;
}

/* ce3bd2a1-4fa6-4c69-9e0d-2a7c0ed5a4b1, as SMCCC lays a UUID out in four registers (DEN 0028, 6.2) */
static void vendor_uid(struct frame *f)
{
	f->x[0] = 0xa1d23bce;
	f->x[1] = 0x694ca64f;
	f->x[2] = 0x7c2a0d9e;
	f->x[3] = 0xb1a4d50e;
}

/* Architecture calls and the vendor-specific hypervisor service. */
static int64_t service_call(struct frame *f, uint32_t function)
{
	switch (function) {
	case SMCCC_VERSION:
		return 0x10001;
	case SMCCC_ARCH_FEATURES:
		return arch_features(f->x[1]);
	case SMCCC_WORKAROUND_1:
	case SMCCC_WORKAROUND_2:
	case SMCCC_WORKAROUND_3:
		if (workaround_state(function) < 0)
			break;
		return function == SMCCC_WORKAROUND_2 ? SUCCESS
						      : (int32_t)firmware_call(function, 0, 0, 0);
	case VENDOR_HYP_UID:
		vendor_uid(f);
		return (int64_t)f->x[0];
	case VENDOR_HYP_REVISION:
		f->x[1] = 1;
		return 0;
	}
	return NOT_SUPPORTED;
}

void smccc_call(struct vcpu *v, struct frame *f)
{
	uint32_t function = (uint32_t)f->x[0], owner = function >> 24;
	const struct psci_call *call = psci_find(function);
	uint64_t mask = function & FN_64 ? ~0ul : 0xffffffff;
	int64_t result = NOT_SUPPORTED;

	if (call)
		result = call->run(v, f->x[1] & mask, f->x[2] & mask, f->x[3] & mask);
	else if (owner == SMCCC_VERSION >> 24 || owner == VENDOR_HYP_UID >> 24)
		result = service_call(f, function);
	f->x[0] = (uint64_t)result;
}
