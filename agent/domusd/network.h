#ifndef DOMUS_DOMUSD_NETWORK_H
#define DOMUS_DOMUSD_NETWORK_H

#include <stdbool.h>

/* The networks that a domain's NIC can be on. They are made by the Dom0 image, not by the API; the id
 * is the name of the bridge. */
struct network {
	const char *id, *mode;
	bool dhcp;
};

extern const struct network networks[];
extern const unsigned networks_count;

/* NULL: there is none. */
const struct network *network_find(const char *id);
/* Dom0's address and prefix length on it, "10.7.0.1/24", or false when it has none. */
bool network_cidr(const struct network *network, char cidr[64]);

#endif
