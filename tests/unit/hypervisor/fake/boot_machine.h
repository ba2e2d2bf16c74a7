/* The machine under the boot's rooms: 1 TiB of addresses that are memory when touched, an image, a console that is a string. */
#ifndef FAKE_BOOT_MACHINE_H
#define FAKE_BOOT_MACHINE_H
#include "lib/types.h"
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#define FAKE_IMAGE	0x40200000ul /* where the hypervisor's image lies */
#define FAKE_IMAGE_SIZE 0x80000ul

/* What the hypervisor said in the last run. */
extern char fake_console[4096];

/* By domain: what domain_frames_freed() was told. */
extern uint64_t fake_frames_freed[8];

/* Where a panic goes that is not in a process of its own; NULL: nowhere. */
extern jmp_buf *fake_stopped;

/* The boot's rooms keep what they find: each run is a process of its own. How it ended: */
enum fake_end { FAKE_RETURNED, FAKE_FAILED, FAKE_PANICKED };
enum fake_end fake_run_apart(void (*run)(void *), void *arg);

/* In such a run: a line, and the end as FAKE_FAILED. */
#define CHECK(x)                                                                                                       \
	do {                                                                                                           \
		if (!(x)) {                                                                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                        \
			_exit(FAKE_FAILED);                                                                            \
		}                                                                                                      \
	} while (0)
/* For the test itself. */
#define RUNS(run, arg) assert_int_equal(fake_run_apart(run, arg), FAKE_RETURNED)
#define PANICS(run, arg, text)                                                                                         \
	do {                                                                                                           \
		assert_int_equal(fake_run_apart(run, arg), FAKE_PANICKED);                                             \
		if (strstr(fake_console, text) == NULL)                                                                \
			fail_msg("no \"%s\" in: %s", text, fake_console);                                              \
	} while (0)
#endif
