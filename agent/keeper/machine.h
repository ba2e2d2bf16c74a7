#ifndef DOMUS_KEEPER_MACHINE_H
#define DOMUS_KEEPER_MACHINE_H

/*
 * The machine that domains run on, as keeper sees it. Two implementations, chosen at link time:
 * machine_libxl*.c (the real one, in Dom0) and machine_sim*.c (a simulated board inside the keeper
 * process, for tests on the build host).
 *
 * Every function may be called from any thread, but never two of create, shutdown, reboot, kill,
 * pause, resume for one domain at once: jobs.c sees to that. All may block for as long as the
 * hypervisor takes. They return 0, or -1 with *e. Arguments passed verbs_check_request(). A domain
 * that Domus did not make is ERROR_NOT_FOUND for every action.
 */
#include <stdint.h>

#include "common/error.h"
#include "common/verbs.h"

struct machine;
struct hardware;

/* A change in the life of a domain of ours; event is complete, header included. Called from any
 * thread, must not block. */
typedef void machine_event_fn(void *context, const struct verbs_event *event);

/* What a domain is made from: open files, checked by files.c. The caller closes them when
 * machine_create() is back. */
struct machine_files {
	int kernel;
	int initrd; /* -1: none */
	int disks
		[VERBS_DISKS_MAX]; /* -1 beyond disk_count; a volume, or the block device in a slot or port */
};

/*
 * Connects to the machine, undoes what an earlier keeper left half-made, and watches the domains
 * that it did make: each one that already ended gives an event at once. options: "key=value,..." or
 * ""; only the simulator has any.
 */
int machine_open(const char *options, machine_event_fn *event, void *context,
		 struct machine **machine, struct error *e);
/*
 * libxl runs programs when devices come and go; the real machine lets it run keeper itself. -1: this process is no such
 * program; otherwise its exit status. Called first of all in main().
 */
int machine_helper(int argc, char **argv);
/* Domains keep running (the simulator's end: their machine is gone). */
void machine_close(struct machine *m);

/* The board's devices and their gates; belongs to the machine. Keeper's rails.c is its only user. */
struct hardware *machine_hardware(struct machine *m);

/* Fills the answer after its header, which verbs_start() made. */
int machine_board(struct machine *m, struct verbs_board_response *r, struct error *e);
int machine_list(struct machine *m, uint32_t first, struct verbs_list_response *r, struct error *e);

/* Makes and starts (unless r->paused) a domain, or leaves nothing of it behind. */
int machine_create(struct machine *m, const struct verbs_create_request *r,
		   const struct machine_files *files, uint32_t *domid, struct error *e);
/* Ask the guest; back at once. ERROR_DOMAIN_PAUSED or ERROR_DOMAIN_NOT_RUNNING unless it runs. */
int machine_shutdown(struct machine *m, const struct verbs_domain *d, struct error *e);
int machine_reboot(struct machine *m, const struct verbs_domain *d, struct error *e);
/* Destroys the domain in any state; gives the event GONE, reason KILLED. */
int machine_kill(struct machine *m, const struct verbs_domain *d, struct error *e);
/* Nothing to do is success; ERROR_DOMAIN_NOT_RUNNING when the domain has ended. */
int machine_pause(struct machine *m, const struct verbs_domain *d, struct error *e);
int machine_resume(struct machine *m, const struct verbs_domain *d, struct error *e);

/* The guest's console as a raw, non-blocking terminal. The descriptor (>= 0) is the caller's to
 * close. */
int machine_console(struct machine *m, const struct verbs_domain *d, struct error *e);
/* A descriptor, positioned at 0, to read the hypervisor's console ring from. The caller closes it.
 */
int machine_log(struct machine *m, struct error *e);

#endif
