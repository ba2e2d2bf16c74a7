/*
 * A bridge of a domain's own: one port is the network interface in its slot, the other its virtual interface. Dom0 itself
 * takes no part: no address, no IPv6 of its own, so nothing that is plugged into the card reaches Dom0.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "keeper/hardware_board.h"

#define PREFIX "up-"

static int interface_up(int sock, const char *name, bool up)
{
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(sock, SIOCGIFFLAGS, &r) < 0)
		return -1;
	r.ifr_flags = (short)(up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
	return ioctl(sock, SIOCSIFFLAGS, &r);
}

/* Before it goes up, or it would have an address already. */
static void no_addresses(const char *name)
{
	sysfs_write("1", 0, 1, NULL, "", "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
}

static int bridge_make(int sock, const char *node, const char *bridge)
{
	struct ifreq r = {0};

	if (ioctl(sock, SIOCBRADDBR, bridge) < 0 && errno != EEXIST)
		return -1;
	no_addresses(bridge);
	no_addresses(node);
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", bridge);
	r.ifr_ifindex = (int)if_nametoindex(node);
	if (ioctl(sock, SIOCBRADDIF, &r) < 0 && errno != EBUSY)
		return -1;
	return interface_up(sock, node, true) < 0 ? -1 : interface_up(sock, bridge, true);
}

int uplink_make(const char *node, char bridge[VERBS_BRIDGE_MAX + 1], struct error *e)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), result;

	snprintf(bridge, VERBS_BRIDGE_MAX + 1, PREFIX "%u", if_nametoindex(node));
	result = sock < 0 ? -1 : bridge_make(sock, node, bridge);
	if (result < 0)
		error_set_errno(e, ERROR_HYPERVISOR, errno,
				"The network interface %s cannot be put on a bridge.", node);
	if (sock >= 0)
		close(sock);
	return result;
}

void uplink_remove_below(const struct board *b, const char *path)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (unsigned i = 0; sock >= 0 && i < b->nodes.count; i++) {
		const struct node *n = &b->nodes.nodes[i];
		char master[SYSFS_PATH];
		const char *name;

		if (n->kind != VERBS_CONTENT_NIC || !sysfs_inside(n->path, path) ||
		    !sysfs_real(master, b->root, "%s/master", n->path))
			continue;
		name = strrchr(master, '/') + 1;
		if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		interface_up(sock, name, false);
		if (ioctl(sock, SIOCBRDELBR, name) < 0)
			fprintf(stderr, "keeper: the bridge %s stays: %s\n", name, strerror(errno));
	}
	if (sock >= 0)
		close(sock);
}
