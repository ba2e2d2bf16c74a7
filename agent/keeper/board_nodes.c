/* Disks and network interfaces of Dom0: what a slot or port holds is known by what hangs below it in sysfs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/hardware_board.h"

static struct node *node_add(struct board *b, const char *name, const char *class)
{
	struct node *n = &b->nodes.nodes[b->nodes.count];

	if (b->nodes.count == NODES_MAX || strlen(name) >= sizeof(n->name))
		return NULL;
	memset(n, 0, sizeof(*n));
	/* without a device below it, it is a loop device, a bridge and the like */
	if (!sysfs_exists(b->root, "/sys/class/%s/%s/device", class, name) ||
	    !sysfs_real(n->path, b->root, "/sys/class/%s/%s", class, name))
		return NULL;
	snprintf(n->name, sizeof(n->name), "%s", name);
	text_clean(n->name);
	b->nodes.count++;
	return n;
}

static void block_found(void *context, const char *name)
{
	const struct board *b = context;
	struct node *n;

	/* the kernel shows a new disk in sysfs before it makes its device file: until then there is nothing to open */
	if (!sysfs_exists(b->root, "/dev/%s", name))
		return;
	n = node_add(context, name, "block");
	if (n)
		n->kind = VERBS_CONTENT_DISK;
}

static void net_found(void *context, const char *name)
{
	struct node *n = node_add(context, name, "net");

	if (n)
		n->kind = VERBS_CONTENT_NIC;
}

/* The disk of one line of mountinfo (proc(5)): its third field is the device's number. */
static void mount_mark(struct board *b, const char *line)
{
	char path[SYSFS_PATH];
	unsigned major, minor;

	if (sscanf(line, "%*u %*u %u:%u ", &major, &minor) != 2 || major == 0 ||
	    !sysfs_real(path, b->root, "/sys/dev/block/%u:%u", major, minor))
		return;
	for (unsigned i = 0; i < b->nodes.count; i++) {
		struct node *n = &b->nodes.nodes[i];

		/* a partition lies inside its disk */
		n->system |= strcmp(path, n->path) == 0 || sysfs_inside(path, n->path);
	}
}

static void mounts_read(struct board *b)
{
	char path[SYSFS_PATH], line[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", b->root);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		mount_mark(b, line);
	if (f)
		fclose(f);
}

void nodes_read(struct board *b)
{
	b->nodes.count = 0;
	sysfs_each(block_found, b, NODES_MAX, b->root, "/sys/class/block");
	sysfs_each(net_found, b, NODES_MAX, b->root, "/sys/class/net");
	mounts_read(b);
}

const struct node *node_below(const struct board *b, const char *path)
{
	for (unsigned i = 0; i < b->nodes.count; i++) {
		if (sysfs_inside(b->nodes.nodes[i].path, path))
			return &b->nodes.nodes[i];
	}
	return NULL;
}

bool system_below(const struct board *b, const char *path)
{
	for (unsigned i = 0; i < b->nodes.count; i++) {
		if (b->nodes.nodes[i].system && sysfs_inside(b->nodes.nodes[i].path, path))
			return true;
	}
	return false;
}
