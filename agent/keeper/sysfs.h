#ifndef DOMUS_KEEPER_SYSFS_H
#define DOMUS_KEEPER_SYSFS_H

/*
 * Reading and writing the small files of sysfs. What stands in them comes from devices (product names, register contents),
 * so it is hostile: one line, cut off, made printable. Every path is made by a format under `root`, which is "" in Dom0 and
 * a folder with a recorded tree in tests.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define SYSFS_PATH 512 /* longer paths are not looked at */

/* The first line of a file; "" and false when it cannot be read. */
bool sysfs_text(char *out, size_t size, const char *root, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* A number in a file, "12" or "0x1f" or, with base 16, "1f"; false when it is none or greater than max. */
bool sysfs_number(uint64_t *out, int base, uint64_t max, const char *root, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* Bytes of a binary file; how many, or -1. */
int sysfs_bytes(void *out, size_t offset, size_t size, const char *root, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
bool sysfs_exists(const char *root, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Where a file or link really is, below root: "/sys/devices/..."; false when there is no such. */
bool sysfs_real(char out[SYSFS_PATH], const char *root, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Writes bytes at an offset with one write(2); -1 with *e. */
int sysfs_write(const void *bytes, size_t offset, size_t size, struct error *e, const char *root,
		const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Is path inside folder (not folder itself)? Both as sysfs_real() gives them. */
bool sysfs_inside(const char *path, const char *folder);

/* Calls found() for each name in a folder, sorted, at most `most`; names beginning with '.' are left out. */
typedef void sysfs_found_fn(void *context, const char *name);
void sysfs_each(sysfs_found_fn *found, void *context, unsigned most, const char *root,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Changes what is not printable ASCII into '?'. */
void text_clean(char *s);

#endif
