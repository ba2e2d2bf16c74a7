#include "domusd/network.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

const struct network networks[] = {{"lan0", "nat", true}};
const unsigned networks_count = sizeof(networks) / sizeof(*networks);

const struct network *network_find(const char *id)
{
	for (unsigned i = 0; i < networks_count; i++)
		if (strcmp(networks[i].id, id) == 0)
			return &networks[i];
	return NULL;
}

bool network_cidr(const struct network *network, char cidr[64])
{
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (struct ifaddrs *one = all; one && !found; one = one->ifa_next) {
		const struct sockaddr_in *address = (const struct sockaddr_in *)one->ifa_addr;
		const struct sockaddr_in *mask = (const struct sockaddr_in *)one->ifa_netmask;
		char text[INET_ADDRSTRLEN];

		if (!address || !mask || address->sin_family != AF_INET ||
		    strcmp(one->ifa_name, network->id) != 0 ||
		    !inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text)))
			continue;
		snprintf(cidr, 64, "%s/%d", text, __builtin_popcount(mask->sin_addr.s_addr));
		found = true;
	}
	freeifaddrs(all);
	return found;
}
