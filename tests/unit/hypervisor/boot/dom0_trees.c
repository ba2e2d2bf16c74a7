/* Runs the Dom0 tree builder over real boards' device trees, under ASan and UBSan:
 *   dom0_trees OUTDIR FILE...
 * For each file either OUTDIR/<board>.dtb is written, checked by libfdt and by the rules below, or one sentence says why the
 * board is not supported. Exit code 1 when a rule is broken. The caller runs dtc over OUTDIR. */
#include "boot/dom0_tree.h"
#include "arch/cpu.h"
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *file; /* the one at work, for messages */
static unsigned failures;

void machine_stop(void)
{
	printf("FAILED %s: panic\n", file);
	exit(1);
}

#define RULE(x)                                                                                                        \
	do {                                                                                                           \
		if (!(x)) {                                                                                            \
			printf("FAILED %s: %s (line %d)\n", file, #x, __LINE__);                                      \
			failures++;                                                                                    \
		}                                                                                                      \
	} while (0)

static void *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	void *data;
	long n;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0) {
		perror(path);
		exit(2);
	}
	rewind(f);
	data = malloc((size_t)n + 1);
	*size = fread(data, 1, (size_t)n, f);
	fclose(f);
	return data;
}

static unsigned count_cpus(const void *fdt)
{
	int parent = fdt_path_offset(fdt, "/cpus"), node;
	unsigned n = 0;

	if (parent >= 0)
		fdt_for_each_subnode(node, fdt, parent) {
			const char *type = dt_string(fdt, node, "device_type");

			n += type != NULL && strcmp(type, "cpu") == 0;
		}
	return n;
}

/* What holds for every tree that Dom0 gets. */
static void check_rules(const struct dom0_tree_input *in, const struct dom0_tree_facts *facts, const void *out)
{
	int node, gic = dt_compatible(out, -1, "arm,gic-v3"), hypervisor = fdt_path_offset(out, "/hypervisor");
	int timer = fdt_path_offset(out, "/timer"), chosen = fdt_path_offset(out, "/chosen");
	unsigned intid = 0, flags;
	struct dt_range r, console = {0};

	RULE(gic >= 0 && dt_reg(out, gic, 0, &r) && r.base == facts->distributor.base);
	RULE(dt_reg(out, gic, 1, &r) && r.base == facts->redistributors.base && r.size == in->vcpus * 0x20000UL);
	RULE(fdt_get_phandle(out, gic) == fdt_get_phandle(in->fdt, facts->gic_node));
	RULE(hypervisor >= 0 && timer >= 0 && fdt_path_offset(out, "/psci") >= 0);
	RULE(dt_interrupt(out, hypervisor, 0, gic, &intid, &flags) && intid == facts->event_intid);
	RULE(count_cpus(out) == in->vcpus);
	RULE(chosen >= 0 && strcmp(dt_string(out, chosen, "bootargs"), in->command_line) == 0);
	RULE(fdt_getprop(out, chosen, "stdout-path", NULL) == NULL);
	if (in->console_node >= 0)
		dt_reg(in->fdt, in->console_node, 0, &console);
	for (node = fdt_next_node(out, 0, NULL); node >= 0; node = fdt_next_node(out, node, NULL)) {
		RULE(fdt_getprop(out, node, "iommus", NULL) == NULL);
		RULE(fdt_node_check_compatible(out, node, "arm,mmu-500") != 0);
		RULE(fdt_node_check_compatible(out, node, "arm,smmu-v3") != 0);
		RULE(fdt_node_check_compatible(out, node, "arm,armv8-pmuv3") != 0);
		for (unsigned i = 0; node != timer && node != hypervisor && dt_interrupt(out, node, i, gic, &intid, &flags); i++)
			RULE(intid >= 32);
		if (console.size != 0 && dt_reg(out, node, 0, &r))
			RULE(r.base != console.base || r.size != console.size);
	}
}

static void board(const char *outdir, const char *path)
{
	static char out[2 << 20];
	static const struct dt_range bank = {0x80000000, 0x40000000};
	struct dom0_tree_input in = {.command_line = "console=hvc0 root=/dev/mmcblk0p2", .ramdisk = {0x88000000, 0x100000},
				     .banks = &bank, .bank_count = 1, .grant_window = {0x80200000, 0x40000}, .xen_minor = 20};
	struct dom0_tree_facts facts;
	const char *why = NULL, *name = strrchr(path, '/');
	char to[512];
	size_t size;
	void *fdt = read_file(path, &size);
	int error;
	FILE *f;

	file = path;
	if (fdt_check_full(fdt, size) != 0) {
		printf("not a device tree: %s\n", path);
	} else if (!dom0_tree_facts(fdt, &facts, &why)) {
		printf("not supported: %s: %s\n", name + 1, why);
	} else {
		in.fdt = fdt;
		in.console_node = dt_stdout(fdt);
		in.vcpus = count_cpus(fdt);
		error = dom0_tree_build(&in, &facts, out, sizeof(out));
		RULE(error == 0);
		if (error == 0) {
			RULE(fdt_check_full(out, sizeof(out)) == 0);
			check_rules(&in, &facts, out);
			snprintf(to, sizeof(to), "%s/%s", outdir, name + 1);
			f = fopen(to, "wb");
			if (f == NULL || fwrite(out, 1, fdt_totalsize(out), f) != fdt_totalsize(out) || fclose(f) != 0) {
				perror(to);
				exit(2);
			}
			printf("built: %s: %u vCPUs, event channel on %u\n", name + 1, in.vcpus, facts.event_intid);
		}
	}
	free(fdt);
}

int main(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		board(argv[1], argv[i]);
	printf("%d trees, %u broken rules\n", argc - 2, failures);
	return failures != 0;
}
