/*
 * Volumes as block devices. Xen's hotplug script could do this from a path, but a path can be swapped between our check
 * and its use, and a script that is killed leaves its loop device behind. A loop device set up from a descriptor has
 * neither trouble: with LO_FLAGS_AUTOCLEAR (loop(4)) it goes when nobody has it open: first keeper, then blkback.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "keeper/machine_libxl.h"

#define ATTEMPTS 16 /* another program may take the free device that we found */

static int loop_try(int control, const struct loop_config *config, int flags, char *path,
		    size_t size)
{
	int number = ioctl(control, LOOP_CTL_GET_FREE);
	int fd;

	if (number < 0)
		return -1;
	snprintf(path, size, "/dev/loop%d", number);
	fd = open(path, flags | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, config) < 0) {
		int saved = errno;

		close(fd);
		fd = -1;
		errno = saved;
	}
	return fd;
}

int loop_attach(int file, bool readonly, const char *name, char *path, size_t size, struct error *e)
{
	struct loop_config config = {
		.fd = (uint32_t)file,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
	};
	int fd = -1, control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (readonly)
		config.info.lo_flags |= LO_FLAGS_READ_ONLY;
	snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s", name);
	for (int i = 0; control >= 0 && fd < 0 && i < ATTEMPTS; i++) {
		fd = loop_try(control, &config, readonly ? O_RDONLY : O_RDWR, path, size);
		if (fd < 0 && errno != EBUSY)
			break;
	}
	if (fd < 0)
		error_set_errno(e, ERROR_HYPERVISOR, errno,
				"The volume %s cannot be made a block device.", name);
	if (control >= 0)
		close(control);
	return fd;
}
