/* The device trees of the i.MX8QM boards in Debian's kernel package, from the folder DTBS. */
#ifndef TREES_H
#define TREES_H

struct board_tree {
	char name[64];
	void *fdt;
};
extern struct board_tree trees[32];
extern unsigned tree_count;

/* Reads them all: a group's set-up function. */
int trees_open(void **state);
/* By file name; fails the test when it is not there. */
void *tree(const char *name);

#endif
