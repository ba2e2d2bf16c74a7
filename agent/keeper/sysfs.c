#include "keeper/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* root and the formatted rest; false when that is too long. */
static bool path_make(char path[SYSFS_PATH], const char *root, const char *format, va_list list)
{
	int length = snprintf(path, SYSFS_PATH, "%s", root), more;

	if (length < 0 || length >= SYSFS_PATH)
		return false;
	more = vsnprintf(path + length, (size_t)(SYSFS_PATH - length), format, list);
	return more >= 0 && more < SYSFS_PATH - length;
}

/* The path of a function that ends in (root, format, ...). */
#define PATH_MAKE(path, made)                                                                      \
	do {                                                                                       \
		va_list list;                                                                      \
                                                                                                   \
		va_start(list, format);                                                            \
		(made) = path_make(path, root, format, list);                                      \
		va_end(list);                                                                      \
	} while (0)

void text_clean(char *s)
{
	for (; *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
}

/* sysfs gives a page at a time at most (Documentation/filesystems/sysfs.rst), so a long file takes several reads. */
static ssize_t file_read(const char *path, char *out, size_t offset, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : pread(fd, out, size, (off_t)offset), more = got;

	while (more > 0 && (size_t)got < size) {
		more = pread(fd, out + got, size - (size_t)got, (off_t)offset + got);
		got += more > 0 ? more : 0;
	}
	if (fd >= 0)
		close(fd);
	return got;
}

bool sysfs_text(char *out, size_t size, const char *root, const char *format, ...)
{
	char path[SYSFS_PATH];
	ssize_t got;
	bool made;

	PATH_MAKE(path, made);
	got = made ? file_read(path, out, 0, size - 1) : -1;
	out[got < 0 ? 0 : got] = '\0';
	out[strcspn(out, "\n")] = '\0';
	text_clean(out);
	for (size_t end = strlen(out); end > 0 && out[end - 1] == ' '; end--)
		out[end - 1] = '\0';
	return got >= 0;
}

bool sysfs_number(uint64_t *out, int base, uint64_t max, const char *root, const char *format, ...)
{
	char path[SYSFS_PATH], text[32], *end;
	unsigned long long number;
	ssize_t got;
	bool made;

	PATH_MAKE(path, made);
	got = made ? file_read(path, text, 0, sizeof(text) - 1) : -1;
	if (got <= 0)
		return false;
	text[got] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (!strchr("0123456789abcdefABCDEF", text[0]))
		return false;
	errno = 0;
	number = strtoull(text, &end, base);
	if (end == text || *end || errno || number > max)
		return false;
	*out = number;
	return true;
}

int sysfs_bytes(void *out, size_t offset, size_t size, const char *root, const char *format, ...)
{
	char path[SYSFS_PATH];
	bool made;

	PATH_MAKE(path, made);
	return made ? (int)file_read(path, out, offset, size) : -1;
}

bool sysfs_exists(const char *root, const char *format, ...)
{
	char path[SYSFS_PATH];
	struct stat s;
	bool made;

	PATH_MAKE(path, made);
	/* access(2) would be refused for the file of a device that this process may not open (DevicePolicy=) */
	return made && stat(path, &s) == 0;
}

bool sysfs_real(char out[SYSFS_PATH], const char *root, const char *format, ...)
{
	char path[SYSFS_PATH], real[PATH_MAX], top[PATH_MAX];
	size_t length = 0;
	bool made;

	PATH_MAKE(path, made);
	if (!made || !realpath(path, real))
		return false;
	if (root[0]) {
		if (!realpath(root, top))
			return false;
		length = strlen(top);
		if (strncmp(real, top, length) != 0)
			return false;
	}
	return snprintf(out, SYSFS_PATH, "%s", real + length) < SYSFS_PATH;
}

int sysfs_write(const void *bytes, size_t offset, size_t size, struct error *e, const char *root,
		const char *format, ...)
{
	char path[SYSFS_PATH];
	ssize_t written;
	int fd, number;
	bool made;

	PATH_MAKE(path, made);
	fd = made ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	written = fd < 0 ? -1 : pwrite(fd, bytes, size, (off_t)offset);
	number = errno;
	if (fd >= 0)
		close(fd);
	if (written == (ssize_t)size)
		return 0;
	return error_set_errno(e, ERROR_RAIL_FAULT, number, "Dom0's kernel refuses to write %s.",
			       path);
}

bool sysfs_inside(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return length && strncmp(path, folder, length) == 0 && path[length] == '/';
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void sysfs_each(sysfs_found_fn *found, void *context, unsigned most, const char *root,
		const char *format, ...)
{
	char path[SYSFS_PATH];
	struct dirent **entries = NULL;
	int count;
	bool made;

	PATH_MAKE(path, made);
	count = made ? scandir(path, &entries, not_hidden, alphasort) : -1;
	for (int i = 0; i < count; i++) {
		if ((unsigned)i < most)
			found(context, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}
