#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domusd/blob.h"
#include "domusd/blob_internal.h"
#include "domusd/clock.h"

#define COPY_STEP ((size_t)8 << 20)

static int volume_create(struct blob *blob, const char *id, struct error *e)
{
	int fd = openat(blob->volumes_fd, id, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0640);

	if (fd < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno,
				       "Cannot make the file of a volume.");
	return fd;
}

/* Closes fd. */
static int volume_settle(struct blob *blob, int fd, int64_t size, struct error *e)
{
	int result = ftruncate(fd, size) < 0 || fsync(fd) < 0 || fsync(blob->volumes_fd) < 0;

	if (result)
		error_set_errno(e, ERROR_INTERNAL, errno, "Cannot write the file of a volume.");
	close(fd);
	return result ? -1 : 0;
}

int blob_volume_make(struct blob *blob, const struct volume *volume, struct error *e)
{
	int fd = volume_create(blob, volume->id, e);

	if (fd < 0)
		return -1;
	if (volume_settle(blob, fd, volume->size, e) == 0)
		return 0;
	blob_volume_unlink(blob, volume->id);
	return -1;
}

void blob_volume_unlink(struct blob *blob, const char *id)
{
	unlinkat(blob->volumes_fd, id, 0);
}

struct copy {
	struct blob_job job;
	struct blob *blob;
	struct volume volume;
	struct actor actor;
	char operation[ID_SIZE];
	int source; /* held open: deleting the image does no harm */
	int64_t size;
};

/* Copies in steps, so that progress can be seen and cancelling works. */
static int copy_bytes(struct copy *copy, int fd, struct error *e)
{
	struct operations *operations = copy->blob->services.operations;
	int64_t at = 0;

	if (ioctl(fd, FICLONE, copy->source) == 0) /* a file system that can share blocks */
		at = copy->size;
	while (at < copy->size) {
		ssize_t got;

		operation_progress(operations, copy->operation, at, copy->size, "bytes",
				   "copying the image");
		if (operation_cancel_requested(operations, copy->operation))
			return error_set(e, ERROR_CANCELLED, "The copy was cancelled.");
		if (blob_worker_ending(copy->blob->slow))
			return error_set(e, ERROR_INTERRUPTED, "The service ended meanwhile.");
		if (blob_room(copy->blob, COPY_STEP, e) < 0)
			return -1;
		got = copy_file_range(copy->source, NULL, fd, NULL, COPY_STEP, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return error_set_errno(e, ERROR_INTERNAL, got < 0 ? errno : EIO,
					       "Cannot copy the image.");
		at += got;
		fdatasync(fd); /* keeps the amount of unwritten pages small; the end checks */
	}
	operation_progress(operations, copy->operation, at, copy->size, "bytes", "writing to disk");
	return volume_settle(copy->blob, dup(fd), copy->volume.size, e);
}

static int copy_register(struct copy *copy, struct error *e)
{
	const struct blob_services *s = &copy->blob->services;
	STORE_TX struct store_tx *tx = NULL;
	char resource[64];
	struct event event = {.type = "volume.created",
			      .resource = resource,
			      .revision = 1,
			      .actor = &copy->actor,
			      .operation = copy->operation};
	json_t *result = json_pack("{s:s}", "volume", copy->volume.id);
	int done;

	copy->volume.created = clock_wall_ms();
	snprintf(resource, sizeof(resource), "volumes/%s", copy->volume.id);
	done = store_begin(s->store, &tx, e) < 0 || store_volume_insert(tx, &copy->volume, e) < 0 ||
			       journal_append(s->journal, tx, &event, e) < 0 ||
			       operation_finish(s->operations, tx, copy->operation,
						OPERATION_SUCCEEDED, NULL, result, e) < 0 ||
			       store_commit(&tx, e) < 0
		       ? -1
		       : 0;
	json_decref(result);
	return done;
}

static void copy_run(struct blob_job *job)
{
	struct copy *copy = (struct copy *)job;
	struct operations *operations = copy->blob->services.operations;
	struct error e;
	int fd = -1, result = operation_start(operations, copy->operation, &e);

	if (result == 0)
		result = fd = volume_create(copy->blob, copy->volume.id, &e);
	if (result >= 0)
		result = copy_bytes(copy, fd, &e);
	if (fd >= 0)
		close(fd);
	if (result == 0)
		result = copy_register(copy, &e);
	if (result < 0) {
		blob_volume_unlink(copy->blob, copy->volume.id);
		operation_end(operations, copy->operation,
			      e.code == ERROR_CANCELLED	    ? OPERATION_CANCELLED
			      : e.code == ERROR_INTERRUPTED ? OPERATION_INTERRUPTED
							    : OPERATION_FAILED,
			      &e, NULL, NULL);
	}
	close(copy->source);
	free(copy);
}

int blob_volume_copy(struct blob *blob, const struct volume *volume, const char *operation,
		     const struct actor *actor, struct error *e)
{
	struct copy *copy = calloc(1, sizeof(*copy));
	struct stat st;

	if (!copy)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	copy->job.run = copy_run;
	copy->blob = blob;
	copy->volume = *volume;
	copy->actor = *actor;
	snprintf(copy->operation, sizeof(copy->operation), "%s", operation);
	copy->source = blob_image_fd(blob, volume->image, e);
	if (copy->source < 0) {
		free(copy);
		return -1;
	}
	copy->size = fstat(copy->source, &st) == 0 ? st.st_size : 0;
	blob_worker_post(blob->slow, &copy->job);
	return 0;
}
