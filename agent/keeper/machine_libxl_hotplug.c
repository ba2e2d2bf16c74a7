/*
 * keeper as its own hotplug script. libxl runs a program for every disk and network interface of a domain that comes or
 * goes (xen-tools docs/misc/block-scripts.txt, vif scripts): environment XENBUS_PATH and vif, argument add, remove, online
 * or offline. Debian's shell scripts take seconds each on a small board, and what they check, keeper checked already.
 * What has to be done is one ioctl and a few words in xenstore that the kernel's backend waits for.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "keeper/machine_libxl.h"

static bool node_write(struct xs_handle *xs, const char *base, const char *node, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", base, node);
	return xs_write(xs, XBT_NULL, path, value, (unsigned)strlen(value));
}

static char *node_read(struct xs_handle *xs, const char *base, const char *node)
{
	char path[256];
	unsigned length;

	snprintf(path, sizeof(path), "%s/%s", base, node);
	return xs_read(xs, XBT_NULL, path, &length);
}

/* Tells blkback which device it is: "major:minor" in hexadecimal. */
static const char *disk_add(struct xs_handle *xs, const char *base)
{
	char *device = node_read(xs, base, "params");
	const char *failed = NULL;
	char numbers[32];
	struct stat s;

	if (!device || stat(device, &s) < 0 || !S_ISBLK(s.st_mode)) {
		failed = "the disk is not a block device";
	} else {
		snprintf(numbers, sizeof(numbers), "%x:%x", major(s.st_rdev), minor(s.st_rdev));
		if (!node_write(xs, base, "physical-device-path", device) ||
		    !node_write(xs, base, "physical-device", numbers) ||
		    !node_write(xs, base, "hotplug-status", "connected"))
			failed = "xenstore refuses the disk";
	}
	free(device);
	return failed;
}

/* Plugs the interface into its bridge and switches it on (netdevice(7); SIOCBRADDIF of linux/sockios.h). */
static const char *interface_plug(const char *bridge, const char *vif)
{
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const char *failed = NULL;
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", bridge);
	r.ifr_ifindex = (int)if_nametoindex(vif);
	if (sock < 0 || r.ifr_ifindex == 0)
		failed = "there is no such network interface";
	else if (ioctl(sock, SIOCBRADDIF, &r) < 0 && errno != EBUSY)
		failed = "the bridge does not take the network interface";
	memset(&r, 0, sizeof(r));
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", vif);
	if (!failed && ioctl(sock, SIOCGIFFLAGS, &r) == 0) {
		r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
		if (ioctl(sock, SIOCSIFFLAGS, &r) < 0)
			failed = "the network interface does not go up";
	}
	if (sock >= 0)
		close(sock);
	return failed;
}

static const char *interface_add(struct xs_handle *xs, const char *base, const char *vif)
{
	char *bridge = node_read(xs, base, "bridge");
	const char *failed = bridge && vif ? interface_plug(bridge, vif) : "it has no bridge";

	if (!failed && !node_write(xs, base, "hotplug-status", "connected"))
		failed = "xenstore refuses the network interface";
	free(bridge);
	return failed;
}

int machine_helper(int argc, char **argv)
{
	const char *base = getenv("XENBUS_PATH"), *failed = NULL;
	struct xs_handle *xs;

	if (!base || argc < 2)
		return -1;
	/* the kernel takes an interface out of its bridge and frees a device by itself */
	if (strcmp(argv[1], "add") != 0 && strcmp(argv[1], "online") != 0)
		return 0;
	xs = xs_open(0);
	if (!xs)
		return 1;
	if (strstr(base, "/vbd/"))
		failed = disk_add(xs, base);
	else if (strcmp(argv[1], "online") == 0)
		failed = interface_add(xs, base, getenv("vif"));
	if (failed) {
		node_write(xs, base, "hotplug-error", failed);
		node_write(xs, base, "hotplug-status", "error");
		fprintf(stderr, "keeper: %s: %s\n", base, failed);
	}
	xs_close(xs);
	return failed ? 1 : 0;
}
