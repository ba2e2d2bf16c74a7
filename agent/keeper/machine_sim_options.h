#ifndef DOMUS_KEEPER_MACHINE_SIM_OPTIONS_H
#define DOMUS_KEEPER_MACHINE_SIM_OPTIONS_H

#include <stdbool.h>

#include "common/error.h"
#include "common/verbs.h"

/* What the board does, from --machine-options; words "sim.KEY=VALUE" of a guest's command line go
 * first. */
struct sim_options {
	unsigned memory_mib, dom0_mib, cpus;
	unsigned create_ms; /* how long a create takes */
	unsigned boot_ms;   /* from start to the shell */
	unsigned stop_ms;   /* from poweroff to being off */
	unsigned crash_ms;  /* crash so long after the start; 0: never */
	bool fail;	    /* create fails after create_ms, as if the hypervisor had refused */
	bool deaf;	    /* ignores DOMAIN_SHUTDOWN and DOMAIN_REBOOT */
	char foreign[VERBS_NAME_MAX + 1]; /* a domain that Domus did not make, "" for none */
	char faults[256];		  /* file of what is wrong with the board's devices */
	char truth
		[256]; /* file to which the board writes which devices have power, whatever gates say */
	bool ungated; /* gates say what they are told, and switch nothing */
};

/* All defaults, then "key=value,..." of --machine-options. 0, or -1 and *e: an unknown word or an impossible board. */
int sim_options_read(struct sim_options *o, const char *text, struct error *e);
/* A guest's own: the words "sim.KEY" of its command line. Others are for the kernel. */
void sim_options_override(struct sim_options *o, const char *cmdline);

#endif
