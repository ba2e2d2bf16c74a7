#include "keeper/hardware_board.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define UEVENT_GROUP_KERNEL 1
#define UEVENTS_MAX	    256 /* in one go; the rest makes the next look soon */

int board_power_call(const struct board *b, unsigned op, void *argument)
{
	return b->power_call ? b->power_call(b->power_context, op, argument) : -ENOSYS;
}

int board_scan(struct board *b, struct inventory *out, struct error *e)
{
	(void)e;
	nodes_read(b);
	pcie_scan(b, out);
	usb_scan(b, out);
	platform_scan(b, out);
	return 0;
}

void board_read(struct board *b, struct verbs_device *d, bool contents)
{
	if (d->gate == VERBS_GATE_HYPERVISOR)
		core_read(b, d);
	if (d->gate == VERBS_GATE_PLATFORM)
		platform_read(b, d);
	/* of all others the last scan's word stands */
	if (d->gate != VERBS_GATE_SLOT && d->gate != VERBS_GATE_PORT)
		return;
	if (contents)
		nodes_read(b);
	if (d->gate == VERBS_GATE_SLOT)
		pcie_read(b, d, contents);
	else
		usb_read(b, d, contents);
}

void board_close(struct board *b)
{
	free(b->functions);
	free(b->ports);
	free(b->platform);
}

int board_set(struct board *b, const struct verbs_device *d, bool on, struct error *e)
{
	nodes_read(b);
	if (d->gate == VERBS_GATE_SLOT)
		return pcie_set(b, d, on, e);
	if (d->gate == VERBS_GATE_PORT)
		return usb_set(b, d, on, e);
	if (d->gate == VERBS_GATE_PLATFORM)
		return platform_set(b, d, on, e);
	return error_set(e, ERROR_RAIL_UNSUPPORTED, "%s cannot be switched.", d->name);
}

/* The device file that sysfs names, and it is the one that sysfs means. */
int board_disk_open(const struct board *b, const char *node, bool readonly, struct error *e)
{
	char path[SYSFS_PATH], number[32];
	unsigned major_number, minor_number;
	struct stat s;
	int fd;

	snprintf(path, sizeof(path), "%s/dev/%s", b->root, node);
	/* exclusively: fails when Dom0 has mounted it (open(2), O_EXCL on block devices) */
	fd = strchr(node, '/')
		     ? -1
		     : open(path, (readonly ? O_RDONLY : O_RDWR) | O_EXCL | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(e, ERROR_REFERENCE, errno, "The disk %s cannot be used.",
				       node);
	sysfs_text(number, sizeof(number), b->root, "/sys/class/block/%s/dev", node);
	if (fstat(fd, &s) == 0 && S_ISBLK(s.st_mode) &&
	    sscanf(number, "%u:%u", &major_number, &minor_number) == 2 &&
	    s.st_rdev == makedev(major_number, minor_number))
		return fd;
	close(fd);
	return error_set(e, ERROR_REFERENCE, "The disk %s is not what it was.", node);
}

int board_changes(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = UEVENT_GROUP_KERNEL};
	int sock = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  NETLINK_KOBJECT_UEVENT);

	if (sock >= 0 && bind(sock, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(sock);
		sock = -1;
	}
	return sock;
}

void board_changes_drain(int fd)
{
	char buffer[64]; /* what it says does not matter: the look finds out */

	for (unsigned i = 0; fd >= 0 && i < UEVENTS_MAX; i++) {
		if (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) < 0 && errno != ENOBUFS)
			return;
	}
}
