/* The distributor and the redistributors of a GICv3. Sections are those of Arm IHI 0069H. */
#include "drivers/gicv3.h"
#include "arch/cpu.h"
#include "arch/mmu.h"

enum {
	GICD_CTLR = 0x0000,
	GICD_TYPER = 0x0004,
	GICD_IGROUPR = 0x0080,
	GICD_ISENABLER = 0x0100,
	GICD_ICENABLER = 0x0180,
	GICD_ISPENDR = 0x0200,
	GICD_ICPENDR = 0x0280,
	GICD_ISACTIVER = 0x0300,
	GICD_ICACTIVER = 0x0380,
	GICD_IPRIORITYR = 0x0400,
	GICD_ICFGR = 0x0c00,
	GICD_IROUTER = 0x6000,
	GIC_PIDR2 = 0xffe8, /* in GICD and in each RD_base */
	GICR_CTLR = 0x0000,
	GICR_TYPER = 0x0008,
	GICR_WAKER = 0x0014,
	GICR_SGI_BASE = 0x10000,
};
#define CTLR_ENABLE_G1A	 (1u << 1)
#define CTLR_ARE_NS	 (1u << 4)
#define CTLR_RWP	 (1u << 31)
#define GICR_CTLR_RWP	 (1u << 3)
#define GICR_TYPER_VLPIS (1u << 1)
#define GICR_TYPER_LAST	 (1u << 4)
#define WAKER_SLEEP	 (1u << 1)
#define WAKER_ASLEEP	 (1u << 2)
#define AFFINITY(mpidr)	 (((mpidr) >> 8 & 0xff000000) | ((mpidr)&0xffffff)) /* Aff3.Aff2.Aff1.Aff0 */
#define GICR_FRAMES	 0x20000ul /* RD_base and SGI_base of a CPU without virtual LPIs */
#define GICD_SIZE	 0x10000ul
#define PRIORITY_DEFAULT 0xa0
#define WAIT_ROUNDS	 1000000 /* register polls; a GIC answers within microseconds */

struct gic_info gic;
static uint8_t *gicd, *redistributors[ARRAY_SIZE(gic.redistributors)];
static struct {
	struct cpu *cpu; /* whose */
	uint8_t *sgi_base;
} local[MAX_CPUS];

static uint32_t read32(const uint8_t *base, uint64_t offset)
{
	return *(const volatile uint32_t *)(const void *)(base + offset);
}
static void write32(uint8_t *base, uint64_t offset, uint32_t value)
{
	*(volatile uint32_t *)(void *)(base + offset) = value;
}
static uint64_t read64(const uint8_t *base, uint64_t offset)
{
	return *(const volatile uint64_t *)(const void *)(base + offset);
}
static void write64(uint8_t *base, uint64_t offset, uint64_t value)
{
	*(volatile uint64_t *)(void *)(base + offset) = value;
}

static bool wait_clear(const uint8_t *base, uint64_t offset, uint32_t bit)
{
	for (unsigned i = 0; i < WAIT_ROUNDS; i++) {
		if (!(read32(base, offset) & bit))
			return true;
		cpu_relax();
	}
	return false;
}

/* The frame whose registers configure the interrupt: the distributor, or this CPU's SGI_base. Offsets are the same. */
static uint8_t *frame_of(unsigned intid)
{
	unsigned i = 0;

	if (intid >= 32)
		return gicd;
	while (local[i].cpu != cpu_this())
		i++;
	return local[i].sgi_base;
}
static void write_bit(unsigned intid, uint64_t offset)
{
	write32(frame_of(intid), offset + intid / 32 * 4, 1u << (intid % 32));
}

/* Device tree, mapping, and the registers of the distributor. */
static bool distributor_reset(void)
{
	write32(gicd, GICD_CTLR, 0);
	if (!wait_clear(gicd, GICD_CTLR, CTLR_RWP))
		return false;
	for (unsigned i = 32; i < gic.interrupts; i += 32) {
		write32(gicd, GICD_ICENABLER + i / 8, ~0u);
		write32(gicd, GICD_ICPENDR + i / 8, ~0u);
		write32(gicd, GICD_ICACTIVER + i / 8, ~0u);
		write32(gicd, GICD_IGROUPR + i / 8, ~0u);
		for (unsigned j = i; j < i + 32; j += 4)
			write32(gicd, GICD_IPRIORITYR + j, PRIORITY_DEFAULT * 0x01010101u);
	}
	if (!wait_clear(gicd, GICD_CTLR, CTLR_RWP))
		return false;
	write32(gicd, GICD_CTLR, CTLR_ARE_NS | CTLR_ENABLE_G1A);
	return wait_clear(gicd, GICD_CTLR, CTLR_RWP);
}

/* The node's reg: distributor, then redistributor regions. */
static bool regions_read(const void *fdt, int node)
{
	uint64_t count = dt_number(fdt, node, "#redistributor-regions", 1);

	if (count == 0 || count > ARRAY_SIZE(gic.redistributors) ||
	    !dt_reg(fdt, node, 0, &gic.distributor) || gic.distributor.size < GICD_SIZE)
		return false;
	gic.regions = (unsigned)count;
	for (unsigned i = 0; i < gic.regions; i++)
		if (!dt_reg(fdt, node, i + 1, &gic.redistributors[i]))
			return false;
	gic.stride = dt_number(fdt, node, "redistributor-stride", 0);
	return gic.stride % GICR_FRAMES == 0;
}

bool gic_init(const void *fdt, const char **why)
{
	int node = dt_compatible(fdt, -1, "arm,gic-v3");
	unsigned revision, flags;

	if (node < 0) {
		*why = dt_compatible(fdt, -1, "arm,cortex-a15-gic") >= 0 ||
				       dt_compatible(fdt, -1, "arm,gic-400") >= 0
			       ? "this machine has a GICv2; Domus needs a GICv3"
			       : "the device tree names no interrupt controller \"arm,gic-v3\"";
		return false;
	}
	*why = "the device tree's GICv3 node has no usable register ranges";
	if (!regions_read(fdt, node))
		return false;
	gic.node = node;
	gic.phandle = (uint32_t)dt_number(fdt, node, "phandle", 0);
	if (!dt_interrupt(fdt, node, 0, node, &gic.maintenance, &flags))
		gic.maintenance = 25;
	gicd = mmu_map_device(PA(gic.distributor.base), gic.distributor.size);
	for (unsigned i = 0; i < gic.regions; i++)
		redistributors[i] =
			mmu_map_device(PA(gic.redistributors[i].base), gic.redistributors[i].size);

	*why = "the interrupt controller is not a GICv3 (GICD_PIDR2)";
	revision = read32(gicd, GIC_PIDR2) >> 4 & 0xf;
	if (revision != 3 && revision != 4)
		return false;
	gic.interrupts = 32 * ((read32(gicd, GICD_TYPER) & 0x1f) + 1);
	if (gic.interrupts > 1020)
		gic.interrupts = 1020;
	*why = "the GICv3 distributor does not come to rest (GICD_CTLR.RWP)";
	return distributor_reset();
}

/* This CPU's redistributor; NULL when no region has one with its affinity. Nothing behind a region's end is touched. */
static uint8_t *redistributor_find(uint64_t mpidr)
{
	for (unsigned i = 0; i < gic.regions; i++) {
		uint64_t offset = 0, step;

		while (offset + GICR_FRAMES <= gic.redistributors[i].size) {
			uint8_t *rd = redistributors[i] + offset;
			uint64_t typer = read64(rd, GICR_TYPER);

			if (typer >> 32 == AFFINITY(mpidr))
				return rd;
			if (typer & GICR_TYPER_LAST)
				break;
			step = typer & GICR_TYPER_VLPIS ? 2 * GICR_FRAMES : GICR_FRAMES;
			offset += gic.stride ? gic.stride : step;
		}
	}
	return NULL;
}

bool gic_cpu_init(unsigned cpu, uint64_t mpidr)
{
	uint8_t *rd = redistributor_find(mpidr), *sgi;

	if (!rd || cpu >= MAX_CPUS)
		return false;
	write32(rd, GICR_WAKER, read32(rd, GICR_WAKER) & ~WAKER_SLEEP);
	if (!wait_clear(rd, GICR_WAKER, WAKER_ASLEEP))
		return false;
	sgi = rd + GICR_SGI_BASE;
	local[cpu].cpu = cpu_this();
	local[cpu].sgi_base = sgi;
	write32(sgi, GICD_ICENABLER, 0xffff0000u);
	write32(sgi, GICD_ICPENDR, 0xffff0000u);
	write32(sgi, GICD_ICACTIVER, ~0u);
	write32(sgi, GICD_IGROUPR, ~0u);
	for (unsigned i = 0; i < 32; i += 4)
		write32(sgi, GICD_IPRIORITYR + i, PRIORITY_DEFAULT * 0x01010101u);
	write32(sgi, GICD_ISENABLER, 0x0000ffffu);
	return wait_clear(rd, GICR_CTLR, GICR_CTLR_RWP) && gic_interface_init();
}

void gic_enable(unsigned intid, bool on)
{
	uint8_t *frame = frame_of(intid);

	write_bit(intid, on ? GICD_ISENABLER : GICD_ICENABLER);
	if (!on) /* no new one arrives once this is over */
		wait_clear(intid < 32 ? frame - GICR_SGI_BASE : frame, GICD_CTLR,
			   intid < 32 ? GICR_CTLR_RWP : CTLR_RWP);
}

bool gic_is_enabled(unsigned intid)
{
	return read32(frame_of(intid), GICD_ISENABLER + intid / 32 * 4) >> intid % 32 & 1;
}

void gic_enable_word(unsigned n, uint32_t bits, bool on)
{
	write32(gicd, (on ? GICD_ISENABLER : GICD_ICENABLER) + n * 4, bits);
	if (!on)
		wait_clear(gicd, GICD_CTLR, CTLR_RWP);
}

void gic_set_edge(unsigned intid, bool edge)
{
	uint64_t offset = GICD_ICFGR + intid / 16 * 4;
	uint32_t bit = 2u << (intid % 16 * 2), value = read32(frame_of(intid), offset);

	write32(frame_of(intid), offset, edge ? value | bit : value & ~bit);
}

void gic_set_priority(unsigned intid, uint8_t priority)
{
	*(volatile uint8_t *)(frame_of(intid) + GICD_IPRIORITYR + intid) = priority;
}

void gic_set_target(unsigned intid, uint64_t mpidr)
{
	write64(gicd, GICD_IROUTER + intid * 8ul, mpidr & 0xff00fffffful);
}

void gic_move_targets(uint64_t from, uint64_t to)
{
	for (unsigned i = 32; i < gic.interrupts; i++)
		if (read64(gicd, GICD_IROUTER + i * 8ul) == (from & 0xff00fffffful))
			gic_set_target(i, to);
}

void gic_cpu_exit(void)
{
	uint8_t *sgi = frame_of(0), *rd = sgi - GICR_SGI_BASE;

	write32(sgi, GICD_ICENABLER, ~0u);
	gic_interface_exit();
	write32(rd, GICR_WAKER, read32(rd, GICR_WAKER) | WAKER_SLEEP);
}

void gic_set_pending(unsigned intid, bool pending)
{
	write_bit(intid, pending ? GICD_ISPENDR : GICD_ICPENDR);
}

void gic_set_active(unsigned intid, bool active)
{
	write_bit(intid, active ? GICD_ISACTIVER : GICD_ICACTIVER);
}

uint32_t gic_pending_word(unsigned n)
{
	return read32(gicd, GICD_ISPENDR + n * 4);
}
