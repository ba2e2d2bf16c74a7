/* A TCG plugin of QEMU: how many instructions the hypervisor ran, the kernels, the programs, between two marks that tests/bench/mark
 * makes; and on each CPU the most that the hypervisor ran without going back to a guest.
 *
 *   -plugin levels.so,first=ADDRESS,end=ADDRESS,out=FILE      addresses of EL2 where the hypervisor's code lies
 *
 * Levels are told by address: EL2 has the range that is given, kernels the upper half of EL1's addresses. A block of instructions
 * counts as a whole when it begins. EL2 leaves no block half way (it takes no interrupt and no fault), so its numbers are exact; a
 * guest's block that ends in a trap is counted too long.
 *
 * Debian has no package with the header of the plugin interface, so what is used of it is declared here (docs/devel/tcg-plugins of
 * QEMU). */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void on_execution(unsigned cpu, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*f)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, on_execution *f, int flags,
					  void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, on_execution *f,
					    int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
/* Older QEMUs return a pointer and take the first argument only; newer ones (API 3) copy and return the size. */
uintptr_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t size);

#define EXPORT __attribute__((visibility("default")))
#ifndef PLUGIN_API
#define PLUGIN_API 1
#endif
EXPORT int qemu_plugin_version = PLUGIN_API;
EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

#define CPUS 8
#define MARK_BEGIN                                                                                 \
	0xd5032fdfu /* hint #126 and #127: nothing to every CPU, and no compiler makes them */
#define MARK_END 0xd5032fffu

enum level { HYPERVISOR, KERNEL, PROGRAM, LEVELS };
static struct {
	uint64_t count[LEVELS];
	uint64_t held, longest,
		times; /* at EL2 since the guest ran last; the most of it; how often */
} cpus[CPUS];
static uint64_t first, end;
static FILE *out;

static void executed(unsigned cpu, void *data)
{
	uintptr_t level = (uintptr_t)data & 3, instructions = (uintptr_t)data >> 2;

	if (cpu >= CPUS)
		return;
	cpus[cpu].count[level] += instructions;
	if (level == HYPERVISOR) {
		cpus[cpu].held += instructions;
	} else if (cpus[cpu].held != 0) {
		if (cpus[cpu].held > cpus[cpu].longest)
			cpus[cpu].longest = cpus[cpu].held;
		cpus[cpu].held = 0;
		cpus[cpu].times++;
	}
}

static void mark_begin(unsigned cpu, void *data)
{
	(void)cpu;
	(void)data;
	memset(cpus, 0, sizeof(cpus));
}

static void mark_end(unsigned cpu, void *data)
{
	uint64_t all[LEVELS] = {0};

	(void)cpu;
	(void)data;
	for (unsigned i = 0; i < CPUS; i++)
		for (unsigned level = 0; level < LEVELS; level++)
			all[level] += cpus[i].count[level];
	fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64, all[HYPERVISOR], all[KERNEL],
		all[PROGRAM]);
	for (unsigned i = 0; i < CPUS; i++)
		fprintf(out, " %" PRIu64 " %" PRIu64, cpus[i].longest, cpus[i].times);
	fputc('\n', out);
	fflush(out);
}

static enum level level_of(uint64_t address)
{
	if (address >= first && address < end)
		return HYPERVISOR;
	return address >> 48 ? KERNEL : PROGRAM;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	enum level level = level_of(qemu_plugin_tb_vaddr(tb));

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, 0, (void *)(n << 2 | level));
	for (size_t i = 0; level == PROGRAM && i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t word = 0;
		uintptr_t at = qemu_plugin_insn_data(insn, &word, sizeof(word));

		if (at > sizeof(word))
			memcpy(&word, (const void *)at, sizeof(word));
		if (word == MARK_BEGIN || word == MARK_END)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, word == MARK_BEGIN ? mark_begin : mark_end, 0, NULL);
	}
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "first=", 6) == 0)
			first = strtoull(argv[i] + 6, NULL, 0);
		else if (strncmp(argv[i], "end=", 4) == 0)
			end = strtoull(argv[i] + 4, NULL, 0);
		else if (strncmp(argv[i], "out=", 4) == 0)
			out = fopen(argv[i] + 4, "w");
	}
	if (out == NULL || end <= first) {
		fprintf(stderr, "levels: first=, end= and out= are needed\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
