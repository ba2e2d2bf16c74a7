/* Stage 2 tables: what a guest's physical addresses mean. Blocks of 1 GiB, 2 MiB and 4 KiB; split on demand with
 * break-before-make. Every function that changes or walks needs the caller to hold the domain's memory lock. */
#ifndef ARCH_STAGE2_H
#define ARCH_STAGE2_H
#include "lib/types.h"

/* What a mapping is; kept in the software bits [58:55] of the descriptor. */
enum stage2_kind {
	STAGE2_NONE = 0,
	STAGE2_RAM, /* the domain's own memory: RWX */
	STAGE2_MMIO, /* device passed through: RW, XN, Normal WB so that the guest's stage 1 decides */
	STAGE2_MMIO_STRICT, /* device of a DomU: RW, XN, Device-nGnRE */
	STAGE2_SHARED, /* page of the hypervisor shown to the guest (shared_info, grant frame): RW, XN */
	STAGE2_FOREIGN,	 /* another domain's page, reference held: RW, XN */
	STAGE2_GRANT_RW, /* granted page */
	STAGE2_GRANT_RO,
};

struct stage2 {
	pa_t root;	     /* concatenated level-1 tables; VTTBR_EL2.BADDR */
	uint16_t vmid;	     /* 1.. */
	uint32_t tables;     /* pages in use by the tables */
	uint32_t tables_max; /* may be: else the guest could fill the machine's memory with them */
	uint64_t top;	     /* end of the highest mapping that there ever was */
	uint64_t vttbr;	     /* root and VMID as VTTBR_EL2 wants them */
	bool retired;	     /* stage2_retire(): the machine sees nothing in it any more */
	uint64_t drained;    /* retired: everything below this address is empty */
	/* Where table pages come from and go to: zeroed pages. 0 means none left. Set before stage2_create(). */
	pa_t (*table_alloc)(void);
	void (*table_free)(pa_t);
	/* the same for two neighbouring pages, 8 KiB aligned: the root */
	pa_t (*table_alloc_pair)(void);
	void (*table_free_pair)(pa_t);
};

struct stage2_entry {
	pa_t pa;	       /* of the address that was asked for */
	enum stage2_kind kind; /* STAGE2_NONE: nothing mapped; pa is then meaningless */
	uint64_t left; /* bytes until this block or hole ends, as far as one table entry tells */
};

/* Guest physical address bits that stage2 can map: min(40, the machine's). */
unsigned stage2_address_bits(void);
int stage2_create(struct stage2 *s, uint16_t vmid); /* 0 or -ENOMEM */
void stage2_destroy(struct stage2 *s);
/* Maps [ipa, ipa+size) to pa..., replacing what was there (break-before-make, TLBs invalidated before it returns). Page
 * aligned. -EINVAL for a range the tables cannot hold, -ENOMEM when tables run out: then a front part may be mapped. */
int stage2_map(struct stage2 *s, ipa_t ipa, pa_t pa, uint64_t size, enum stage2_kind kind);
/* Removes all mappings of a range and invalidates the TLBs before it returns. Holes are fine. */
int stage2_unmap(struct stage2 *s, ipa_t ipa, uint64_t size);
struct stage2_entry stage2_lookup(struct stage2 *s, ipa_t ipa);
/* Gives back tables that are empty, and those that hold one piece of RAM of 2 MiB page by page: what was split to take pages out
 * and got them all back. One look at each table. */
void stage2_compact(struct stage2 *s);
/* The end of an address space whose vCPUs never run again: from now on nothing is mapped, for the machine and for
 * stage2_lookup(); only stage2_drain() still sees the entries. No call but that and stage2_destroy() may follow. */
void stage2_retire(struct stage2 *s);
/* Takes the next mapping out of a retired address space: out->left is its size, out->pa its start, out->kind STAGE2_NONE when
 * the end of a table came first. False: nothing is left. Frees the tables on its way. */
bool stage2_drain(struct stage2 *s, struct stage2_entry *out);
/* Loads VTTBR_EL2 on this CPU. */
void stage2_load(const struct stage2 *s);
/* This CPU has no vCPU any more: VTTBR_EL2 leads to an empty table, so that nothing is fetched by speculation from freed ones. */
void stage2_unload(void);

#endif
