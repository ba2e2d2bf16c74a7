#include "domusd/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "domusd/blob_internal.h"
#include "domusd/id.h"

#define LIST_PAGE 64

static int open_directory(int state_fd, const char *name, struct error *e)
{
	int fd;

	if (mkdirat(state_fd, name, 0750) < 0 && errno != EEXIST)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot make the directory %s.",
				       name);
	fd = openat(state_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot open the directory %s.",
				       name);
	return fd;
}

int blob_sweep(int dir, bool (*known)(void *context, const char *name), void *context)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!stream) {
		if (copy >= 0)
			close(copy);
		return -1;
	}
	while ((entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] == '.' || known(context, entry->d_name))
			continue;
		fprintf(stderr, "domusd: removing %s, which belongs to nothing\n", entry->d_name);
		unlinkat(dir, entry->d_name, 0);
	}
	closedir(stream);
	return 0;
}

static bool image_known(void *context, const char *name)
{
	struct image image;

	return store_image_get(context, name, &image, NULL) == 0;
}

static bool volume_known(void *context, const char *name)
{
	struct volume volume;

	return store_volume_get(context, name, &volume, NULL) == 0;
}

static void report_missing(int dir, const char *what, const char *id, int64_t size)
{
	struct stat st;

	if (fstatat(dir, id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fprintf(stderr, "domusd: the file of %s %s is missing\n", what, id);
	else if (st.st_size != size)
		fprintf(stderr, "domusd: the file of %s %s has %lld bytes instead of %lld\n", what,
			id, (long long)st.st_size, (long long)size);
}

/* Files and rows of images and volumes, compared. */
static int reconcile(struct blob *blob, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct image images[LIST_PAGE];
	struct volume volumes[LIST_PAGE];
	int count = 0;

	if (store_begin_read(blob->services.store, &tx, e) < 0)
		return -1;
	blob_sweep(blob->images_fd, image_known, tx);
	blob_sweep(blob->volumes_fd, volume_known, tx);
	for (const char *after = "";
	     (count = store_image_list(tx, after, LIST_PAGE, images, e)) > 0;
	     after = images[count - 1].id)
		for (int i = 0; i < count; i++)
			report_missing(blob->images_fd, "image", images[i].id, images[i].size);
	if (count < 0)
		return -1;
	for (const char *after = "";
	     (count = store_volume_list(tx, after, LIST_PAGE, volumes, e)) > 0;
	     after = volumes[count - 1].id)
		for (int i = 0; i < count; i++)
			report_missing(blob->volumes_fd, "volume", volumes[i].id, volumes[i].size);
	return count;
}

int blob_open(const struct blob_services *services, struct blob **out, struct error *e)
{
	struct blob *blob = calloc(1, sizeof(*blob));

	*out = blob;
	if (!blob)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	blob->services = *services;
	blob->images_fd = blob->volumes_fd = -1;
	pthread_mutex_init(&blob->lock, NULL);
	blob->uploads_fd = open_directory(services->state_fd, "uploads", e);
	if (blob->uploads_fd >= 0)
		blob->images_fd = open_directory(services->state_fd, "images", e);
	if (blob->images_fd >= 0)
		blob->volumes_fd = open_directory(services->state_fd, "volumes", e);
	if (blob->volumes_fd < 0 || blob_worker_start("blob-sync", &blob->sync, e) < 0 ||
	    blob_worker_start("blob-slow", &blob->slow, e) < 0 || reconcile(blob, e) < 0 ||
	    blob_uploads_load(blob, e) < 0) {
		blob_close(blob);
		*out = NULL;
		return -1;
	}
	return 0;
}

void blob_close(struct blob *blob)
{
	if (!blob)
		return;
	blob_worker_stop(blob->sync); /* first: its jobs may post to the slow one */
	blob_worker_stop(blob->slow);
	blob_uploads_free(blob);
	for (int i = 0; i < 3; i++) {
		int fd = (int[]){blob->uploads_fd, blob->images_fd, blob->volumes_fd}[i];

		if (fd >= 0)
			close(fd);
	}
	pthread_mutex_destroy(&blob->lock);
	free(blob);
}

int blob_space(struct blob *blob, int64_t *total, int64_t *free_bytes)
{
	struct statvfs vfs;

	if (fstatvfs(blob->uploads_fd, &vfs) < 0)
		return -1;
	*total = (int64_t)(vfs.f_blocks * vfs.f_frsize);
	*free_bytes = (int64_t)(vfs.f_bavail * vfs.f_frsize);
	return 0;
}

int blob_room(struct blob *blob, int64_t size, struct error *e)
{
	int64_t total, free_bytes, reserve;

	if (blob_space(blob, &total, &free_bytes) < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot ask the file system.");
	reserve = total / 16 < BLOB_RESERVE ? total / 16 : BLOB_RESERVE;
	if (size > free_bytes - reserve)
		return error_set(e, ERROR_STORAGE,
				 "%lld MiB more do not fit: %lld MiB are free, and %lld MiB are "
				 "kept in reserve.",
				 (long long)(size >> 20), (long long)(free_bytes >> 20),
				 (long long)(reserve >> 20));
	return 0;
}

int blob_digest(int fd, int64_t size, unsigned char digest[32], struct error *e)
{
	enum { BLOCK = 256 * 1024 };
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char *block = malloc(BLOCK);
	bool good = context && block && EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	int64_t at = 0;

	while (good && at < size) {
		ssize_t got = pread(fd, block, size - at < BLOCK ? (size_t)(size - at) : BLOCK, at);

		good = got > 0 && EVP_DigestUpdate(context, block, (size_t)got);
		at += got;
	}
	good = good && EVP_DigestFinal_ex(context, digest, NULL);
	EVP_MD_CTX_free(context);
	free(block);
	return good ? 0 : error_set_errno(e, ERROR_INTERNAL, errno, "Cannot read the file back.");
}

int blob_image_fd(struct blob *blob, const char *id, struct error *e)
{
	int fd = openat(blob->images_fd, id, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno,
				       "The file of image %s cannot be opened.", id);
	return fd;
}

void blob_image_unlink(struct blob *blob, const char *id)
{
	unlinkat(blob->images_fd, id, 0);
}

/* ---- */

struct later {
	struct blob_job job;
	void (*run)(void *context);
	void *context;
};

static void later_run(struct blob_job *job)
{
	struct later later = *(struct later *)job;

	free(job);
	later.run(later.context);
}

int blob_later(struct blob *blob, void (*run)(void *context), void *context)
{
	struct later *later = malloc(sizeof(*later));

	if (!later)
		return -1;
	*later = (struct later){.job.run = later_run, .run = run, .context = context};
	blob_worker_post(blob->sync, &later->job);
	return 0;
}

static void expire_run(struct blob_job *job)
{
	struct blob *blob = (struct blob *)((char *)job - offsetof(struct blob, expire));

	blob_uploads_expire(blob);
	pthread_mutex_lock(&blob->lock);
	blob->expire_posted = false;
	pthread_mutex_unlock(&blob->lock);
}

void blob_tick(void *context)
{
	struct blob *blob = context;
	bool post;

	pthread_mutex_lock(&blob->lock);
	post = !blob->expire_posted;
	blob->expire_posted = true;
	pthread_mutex_unlock(&blob->lock);
	blob->expire.run = expire_run;
	if (post)
		blob_worker_post(blob->sync, &blob->expire);
}
