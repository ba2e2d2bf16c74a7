#include "trees.h"
#include <fts.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct board_tree trees[32];
unsigned tree_count;

static void *read_file(const char *path, long size)
{
	void *data = malloc((size_t)size);
	FILE *f = fopen(path, "rb");

	if (!f || fread(data, 1, (size_t)size, f) != (size_t)size)
		abort();
	fclose(f);
	return data;
}

int trees_open(void **state)
{
	char *path[] = {(char[]){DTBS}, NULL};
	FTS *walk = fts_open(path, FTS_LOGICAL, NULL);
	FTSENT *e;

	(void)state;
	while (walk && (e = fts_read(walk)))
		if (e->fts_info == FTS_F && strncmp(e->fts_name, "imx8qm-", 7) == 0 &&
		    strstr(e->fts_name, ".dtb") && !strstr(e->fts_name, ".dtbo") &&
		    tree_count < sizeof(trees) / sizeof(trees[0])) {
			snprintf(trees[tree_count].name, sizeof(trees[tree_count].name), "%s",
				 e->fts_name);
			trees[tree_count++].fdt =
				read_file(e->fts_path, (long)e->fts_statp->st_size);
		}
	fts_close(walk);
	return 0;
}

void *tree(const char *name)
{
	for (unsigned i = 0; i < tree_count; i++)
		if (strcmp(trees[i].name, name) == 0)
			return trees[i].fdt;
	fail_msg("%s is not in the kernel package", name);
	return NULL;
}
