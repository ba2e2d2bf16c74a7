#ifndef DOMUSD_CONSOLE_HUB_LOG_H
#define DOMUSD_CONSOLE_HUB_LOG_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A console's log file. What a guest prints is hostile: the file never grows beyond CONSOLE_LOG_MAX (it is then
 * replaced by its newer half, cut at a line), and a guest that prints without end is written at CONSOLE_LOG_RATE only,
 * with a line that says how much is missing. Not locked: the hub's thread owns it.
 */
#define CONSOLE_LOG_MAX   (1024 * 1024)
#define CONSOLE_LOG_BURST (512 * 1024) /* bytes that may come at once */
#define CONSOLE_LOG_RATE  (32 * 1024)  /* bytes a second in the long run, to spare the eMMC */

struct console_log {
	int dir;         /* borrowed */
	char name[64];   /* file in dir */
	int fd;          /* -1 when it cannot be written */
	size_t size;
	size_t allowance; /* bytes that may still be written */
	uint64_t dropped; /* bytes not written since the last one that was */
};

/* Opens (makes, 0640) file `name` in directory `dir`, which must stay open. 0 or -1 and *e; the log is then closed. */
int console_log_open(struct console_log *log, int dir, const char *name, struct error *e);
void console_log_close(struct console_log *log);
/* Writes what the rate allows. A full disk loses log, never more. */
void console_log_write(struct console_log *log, const void *data, size_t size);
/* Refills the allowance; call it once a second. */
void console_log_tick(struct console_log *log);

#endif
