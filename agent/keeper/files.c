#include "keeper/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC_OFFSET 56 /* of "ARM\x64" in the Image header */
#define LOCK_NAP_NS  50000000
#define LOCK_NAPS    60

/* Whoever starts first, keeper or its client, makes the folder. */
static int directory_open(const char *state, const char *name, uid_t owner, struct error *e)
{
	int top = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;

	if (top >= 0) {
		if (mkdirat(top, name, 0750) == 0 &&
		    fchownat(top, name, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0)
			fprintf(stderr, "keeper: cannot give the folder %s away\n", name);
		fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(top);
	}
	if (fd < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot open the folder %s/%s.",
				       state, name);
	return fd;
}

int files_open(struct files *f, const char *state, uid_t owner, struct error *e)
{
	*f = (struct files){.images = -1, .volumes = -1, .owner = owner};
	f->images = directory_open(state, "images", owner, e);
	if (f->images >= 0)
		f->volumes = directory_open(state, "volumes", owner, e);
	if (f->volumes >= 0)
		return 0;
	files_close(f);
	return -1;
}

void files_close(struct files *f)
{
	if (f->images >= 0)
		close(f->images);
	if (f->volumes >= 0)
		close(f->volumes);
	*f = (struct files){.images = -1, .volumes = -1};
}

/* pointer: where the definition names it. */
static int file_open(const struct files *f, int directory, const char *id, int flags,
		     const char *pointer, struct error *e)
{
	const char *kind = directory == f->images ? "image" : "volume";
	struct stat s;
	int fd = -1;

	/* one component, never ".." and never a link: nothing outside the directory can be reached. openat2(2) would say
	   the same, but systemd's RestrictSUIDSGID= takes that call away */
	errno = EINVAL;
	if (verbs_id_valid(id))
		fd = openat(directory, id, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		int number = errno;

		error_set_at(e, ERROR_REFERENCE, pointer, "There is no usable %s %s.", kind, id);
		if (e)
			e->errnum = number;
		return -1;
	}
	/* an owner other than domusd means a hard link to somebody else's file */
	if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_uid == f->owner)
		return fd;
	close(fd);
	return error_set_at(e, ERROR_REFERENCE, pointer, "The %s %s is not a file of domusd's.",
			    kind, id);
}

static int kernel_check(int fd, const char *id, struct error *e)
{
	static const char magic[4] = "ARM\x64";
	char found[sizeof(magic)];

	if (pread(fd, found, sizeof(found), MAGIC_OFFSET) == sizeof(found) &&
	    memcmp(found, magic, sizeof(found)) == 0)
		return 0;
	/* libxenguest unpacks gzip itself; domusd has looked inside */
	if (pread(fd, found, sizeof(found), 0) == sizeof(found) &&
	    memcmp(found, "\x1f\x8b\x08", 3) == 0)
		return 0;
	return error_set_at(e, ERROR_KERNEL_FORMAT, "/boot/kernel",
			    "The image %s is not an arm64 kernel: it lacks the Image header.", id);
}

/*
 * The lock belongs to the open file, which the domain's block device holds until the domain is gone: so a volume has one
 * writer or any number of readers, whatever domusd believes. After a kill the kernel lets go a moment later, and tells
 * nobody: hence the patience.
 */
static int volume_lock(int fd, const struct verbs_disk *d, const char *pointer, struct error *e)
{
	const struct timespec nap = {.tv_nsec = LOCK_NAP_NS};

	for (unsigned naps = 0; flock(fd, (d->readonly ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0;
	     naps++) {
		if (naps == LOCK_NAPS)
			return error_set_at(e, ERROR_VOLUME_IN_USE, pointer,
					    "The volume %s is in use by another domain.",
					    d->volume);
		nanosleep(&nap, NULL);
	}
	return 0;
}

static int disk_open(const struct files *f, const struct verbs_disk *d, unsigned number,
		     struct error *e)
{
	char pointer[32];
	int fd;

	snprintf(pointer, sizeof(pointer), "/disks/%u/source/volume", number);
	fd = file_open(f, f->volumes, d->volume, d->readonly ? O_RDONLY : O_RDWR, pointer, e);
	if (fd >= 0 && volume_lock(fd, d, pointer, e) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int files_acquire(const struct files *f, const struct verbs_create_request *r,
		  struct machine_files *out, struct error *e)
{
	*out = (struct machine_files){.kernel = -1, .initrd = -1};
	for (unsigned i = 0; i < VERBS_DISKS_MAX; i++)
		out->disks[i] = -1;

	out->kernel = file_open(f, f->images, r->kernel, O_RDONLY, "/boot/kernel", e);
	if (out->kernel < 0 || kernel_check(out->kernel, r->kernel, e) < 0)
		goto failed;
	if (r->initrd[0]) {
		out->initrd = file_open(f, f->images, r->initrd, O_RDONLY, "/boot/initrd", e);
		if (out->initrd < 0)
			goto failed;
	}
	for (unsigned i = 0; i < r->disk_count; i++) {
		if (r->disks[i].device[0])
			continue;
		out->disks[i] = disk_open(f, &r->disks[i], i, e);
		if (out->disks[i] < 0)
			goto failed;
	}
	return 0;
failed:
	files_release(out);
	return -1;
}

void files_release(struct machine_files *out)
{
	if (out->kernel >= 0)
		close(out->kernel);
	if (out->initrd >= 0)
		close(out->initrd);
	for (unsigned i = 0; i < VERBS_DISKS_MAX; i++) {
		if (out->disks[i] >= 0)
			close(out->disks[i]);
	}
}
