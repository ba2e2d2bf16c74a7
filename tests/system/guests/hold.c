/* Holds a page of another domain, from Dom0's userland, until its standard input ends:
 *
 *   hold gfn DOMAIN FRAME   a foreign mapping of a guest frame (privcmd)
 *   hold ref DOMAIN REF     a mapping of a grant (gntdev)
 *
 * Says "held" when it is mapped, and at the end what text the page began with: also when the domain is gone by then. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/xen.h>

#include <xen/grant_table.h>
#include <xen/sys/gntdev.h>
#include <xen/sys/privcmd.h>

static void *map_frame(unsigned domain, xen_pfn_t frame)
{
	int device = open("/dev/xen/privcmd", O_RDWR), error = 0;
	void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, device, 0);
	privcmd_mmapbatch_v2_t batch = {.num = 1,
					.dom = (domid_t)domain,
					.addr = (uintptr_t)at,
					.arr = &frame,
					.err = &error};

	if (at == MAP_FAILED || ioctl(device, IOCTL_PRIVCMD_MMAPBATCH_V2, &batch) || error)
		return NULL;
	return at;
}

static void *map_grant(unsigned domain, uint32_t ref)
{
	int device = open("/dev/xen/gntdev", O_RDWR);
	struct ioctl_gntdev_map_grant_ref grant = {.count = 1,
						   .refs = {{.domid = domain, .ref = ref}}};
	void *at;

	if (ioctl(device, IOCTL_GNTDEV_MAP_GRANT_REF, &grant))
		return NULL;
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, device, (off_t)grant.index);
	return at == MAP_FAILED ? NULL : at;
}

int main(int argc, char **argv)
{
	unsigned domain = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 0) : 0;
	uint64_t what = argc == 4 ? strtoull(argv[3], NULL, 0) : 0;
	const char *at;
	char byte;

	if (argc != 4)
		return 2;
	at = strcmp(argv[1], "gfn") == 0 ? map_frame(domain, what)
					 : map_grant(domain, (uint32_t)what);
	if (!at) {
		perror("hold");
		return 1;
	}
	printf("held\n");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	printf("%.63s\n", at);
	return 0;
}
