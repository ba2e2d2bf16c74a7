#ifndef DOMUSD_BLOB_KERNEL_H
#define DOMUSD_BLOB_KERNEL_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is this file a kernel that libxl can boot on arm64? That is an Image as the kernel's Documentation/arch/arm64/booting
 * describes it, or the same compressed by gzip, which libxenguest unpacks itself (xc_dom_kernel_file).
 */
#define KERNEL_HEAD_MAX     ((size_t)64 * 1024)             /* bytes from the file's beginning that the check wants */
#define KERNEL_UNPACKED_MAX ((uint64_t)512 * 1024 * 1024) /* the keeper unpacks in Dom0's memory */

struct kernel_info {
	bool compressed;
	uint64_t memory; /* bytes of guest memory that the kernel takes up when loaded */
};

/* Checks the first `size` bytes (all, or KERNEL_HEAD_MAX) of a file of `file_size` bytes whose last four bytes, little
 * endian, are `trailer` (gzip keeps the unpacked size there; 0 if there are none). 0, or -1 with the reason in *e.
 * Pure: the input is hostile. */
int kernel_check(const unsigned char *head, size_t size, uint64_t file_size, uint32_t trailer,
		 struct kernel_info *info, struct error *e);
/* The same for an open file. Reads 64 KiB. */
int kernel_check_file(int fd, struct kernel_info *info, struct error *e);

#endif
