#include "domusd/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

int file_write(int dir, const char *name, mode_t mode, const void *data, size_t size,
	       struct error *e)
{
	char temporary[64];
	int fd, result;

	snprintf(temporary, sizeof(temporary), "%.50s.new", name);
	unlinkat(dir, temporary, 0);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "%s cannot be written: %s.", name,
				       strerror(errno));
	result = write_all(fd, data, size) || fchmod(fd, mode) || fsync(fd);
	if (close(fd) || result || renameat(dir, temporary, dir, name) || fsync(dir)) {
		int saved = errno;

		unlinkat(dir, temporary, 0);
		return error_set_errno(e, ERROR_INTERNAL, saved, "%s cannot be written: %s.", name,
				       strerror(saved));
	}
	return 0;
}

static char *read_all(int fd, size_t size, size_t *got)
{
	char *data = malloc(size + 1);
	size_t have = 0;

	while (data && have < size) {
		ssize_t n = read(fd, data + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(data);
			return NULL;
		}
		if (!n)
			break;
		have += (size_t)n;
	}
	if (data)
		data[have] = '\0';
	*got = have;
	return data;
}

char *file_read(int dir, const char *name, size_t max, size_t *size, struct error *e)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *data = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			errno = EINVAL;
		else if (st.st_size < 0 || (size_t)st.st_size > max)
			errno = EFBIG;
		else
			data = read_all(fd, (size_t)st.st_size, size);
	}
	if (!data)
		error_set_errno(e, ERROR_INTERNAL, errno, "%s cannot be read: %s.", name,
				strerror(errno));
	if (fd >= 0)
		close(fd);
	return data;
}
