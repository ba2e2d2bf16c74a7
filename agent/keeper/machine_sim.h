#ifndef DOMUS_KEEPER_MACHINE_SIM_H
#define DOMUS_KEEPER_MACHINE_SIM_H

/*
 * The simulated board's inside. machine_sim.c is the board (memory, domids, the machine.h
 * interface), machine_sim_options.h what it is told to be, machine_sim_guest.c is what runs on it:
 * guests that boot, talk on a pseudo-terminal and end, all driven by one thread. One lock, m->lock,
 * guards everything; functions here expect it held.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "keeper/machine.h"
#include "keeper/machine_sim_options.h"

#define SIM_OUT	 16384 /* console output that the terminal did not take yet */
#define SIM_LINE 256

enum sim_phase { SIM_BOOT, SIM_SHELL, SIM_STOPPING, SIM_ENDED };

struct guest {
	struct guest *next;
	struct verbs_domain domain;
	struct sim_options options;
	uint32_t domid, vcpus;
	uint64_t memory_mib;
	bool ours, building, paused;
	enum sim_phase phase;
	enum verbs_reason reason; /* how it ends or ended */
	unsigned boot_line;
	int64_t started_ms, due_ms, crash_ms; /* monotonic; due_ms, crash_ms: 0 is never */
	int64_t paused_ms;		      /* since when it is paused */
	int disks
		[VERBS_DISKS_MAX]; /* open, so that their volumes stay locked; disk_count of them */
	unsigned disk_count;
	int master, slave; /* the console; slave is kept so that master never hangs up */
	char tty[32];
	char line[SIM_LINE]; /* being typed */
	unsigned line_length;
	unsigned flood; /* bytes that the flood command has still to print */
	char out[SIM_OUT];
	unsigned out_length;
};

struct sim_board; /* machine_sim_board.c */

struct machine {
	pthread_mutex_t lock;
	struct sim_board *board;
	pthread_t thread;
	int epoll, wake;
	bool stopping;
	struct sim_options options;
	struct guest *guests;
	uint64_t free_mib;
	uint32_t next_domid;
	machine_event_fn *event;
	void *context;
};

/* The devices of the board; busy tells, under m->lock, whether any guest lives. */
struct sim_board *board_new(struct machine *m, struct error *e);
void board_free(struct sim_board *b);
struct hardware *board_hardware(struct sim_board *b);
/* Does any guest of ours live? Takes m->lock. */
bool sim_guest_lives(struct machine *m);

int64_t sim_now_ms(void);
/* Reports g's state as it is now; GONE when gone. */
void sim_report(struct machine *m, const struct guest *g, bool gone);
enum verbs_state sim_state(const struct guest *g);

/* Gives g its console; start begins its boot. Ending closes the console. */
int guest_console(struct machine *m, struct guest *g, struct error *e);
void guest_start(struct machine *m, struct guest *g);
void guest_free(struct machine *m, struct guest *g);
void guest_pause(struct machine *m, struct guest *g, bool paused);
/* The guest begins to power off or reboot, as if it had been told to. */
void guest_stop(struct machine *m, struct guest *g, enum verbs_reason reason);

/* The thread that all guests run on; wake it after any of the above. */
void *guests_run(void *machine);
void guests_wake(struct machine *m);

#endif
