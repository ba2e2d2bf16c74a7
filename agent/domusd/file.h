#ifndef DOMUS_DOMUSD_FILE_H
#define DOMUS_DOMUSD_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

/*
 * Small files below a directory that is ours. Names are constants of the program, never a client's.
 */

/* Replaces dir/name by size bytes so that after a power cut either the old or the new content is there: temporary file,
 * fsync, rename, fsync of the directory. */
int file_write(int dir, const char *name, mode_t mode, const void *data, size_t size,
	       struct error *e);
/* The whole file and a NUL behind it, allocated; at most max bytes. NULL with errno in e->errnum (ENOENT: not there). */
char *file_read(int dir, const char *name, size_t max, size_t *size, struct error *e);

#endif
