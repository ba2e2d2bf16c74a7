/* What the hypervisor's command line said. boot/modules reads it; all others look. */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H
#include "lib/types.h"

struct options {
	char line[1024];	 /* as it came, cut to fit: XENVER_commandline */
	uint64_t dom0_mem;	 /* bytes; default 512 MiB */
	unsigned dom0_max_vcpus; /* 0: as many as CPUs */
	bool sync_console;	 /* output is never queued: to find out where a machine hangs */
	unsigned xen_minor;	 /* what XENVER_version reports: 20 */
};
extern struct options options;

#endif
