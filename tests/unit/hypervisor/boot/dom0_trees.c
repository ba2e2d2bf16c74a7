/* Runs the Dom0 tree builder over real boards' device trees, under ASan and UBSan:
 *   dom0_trees OUTDIR FILE...
 * For each file either OUTDIR/<vendor>-<board>.dtb is written, checked by libfdt and by the rules below, or one sentence says why
 * the board is not supported. Exit code 1 when a rule is broken. The caller runs dtc over OUTDIR. */
#include "dom0_rules.h"
#include "arch/cpu.h"
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *file; /* the one at work, for messages */

void machine_stop(void)
{
	printf("FAILED %s: panic\n", file);
	exit(1);
}

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
	data = malloc((size_t)n);
	*size = fread(data, 1, (size_t)n, f);
	fclose(f);
	return data;
}

/* OUTDIR/<vendor>-<board>.dtb: boards of two vendors may have one name. */
static FILE *create(const char *outdir, const char *path)
{
	const char *slash = strrchr(path, '/'), *vendor = slash;
	char to[512];
	FILE *f;

	while (vendor > path && vendor[-1] != '/')
		vendor--;
	snprintf(to, sizeof(to), "%s/%.*s-%s", outdir, (int)(slash - vendor), vendor, slash + 1);
	f = fopen(to, "wb");
	if (f == NULL) {
		perror(to);
		exit(2);
	}
	return f;
}

static unsigned board(const char *outdir, const char *path)
{
	static uint64_t out[(2 << 20) / 8];
	struct dom0_tree_facts facts;
	const char *why = NULL;
	unsigned failures = 0;
	size_t size;
	void *fdt = read_file(path, &size);
	FILE *f;

	file = path;
	if ((why = dt_check(fdt, size)) != NULL) {
		printf("FAILED not a device tree: %s: %s\n", path, why);
		failures = 1;
	} else if (!dom0_tree_facts(fdt, &facts, &why)) {
		printf("not supported: %s: %s\n", path, why);
	} else {
		struct rules_result r = rules_build(fdt, &facts, out, sizeof(out));

		for (unsigned i = 0; i < r.count && i < RULES_MAX; i++)
			printf("FAILED %s: %s\n", path, r.broken[i]);
		failures = r.count;
		f = create(outdir, path);
		fwrite(out, 1, fdt_totalsize(out), f);
		if (fclose(f) != 0)
			exit(2);
		printf("built: %s: %u vCPUs, event channel on %u, %u nodes hidden, %u disabled\n", path, rules_cpus(fdt),
		       facts.event_intid, r.hidden, r.disabled);
	}
	free(fdt);
	return failures;
}

int main(int argc, char **argv)
{
	unsigned failures = 0;

	for (int i = 2; i < argc; i++)
		failures += board(argv[1], argv[i]);
	printf("%d trees, %u broken rules\n", argc - 2, failures);
	return failures != 0;
}
