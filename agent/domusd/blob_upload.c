#include "domusd/blob_upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domusd/clock.h"
#include "domusd/id.h"

static struct upload *upload_new(struct blob *blob, const struct upload_row *row)
{
	struct upload *upload = calloc(1, sizeof(*upload));

	if (!upload)
		return NULL;
	pthread_mutex_init(&upload->lock, NULL);
	upload->references = 1;
	upload->blob = blob;
	upload->row = *row;
	upload->written = row->offset;
	upload->fd = -1;
	return upload;
}

static void upload_free(struct upload *upload)
{
	if (upload->fd >= 0)
		close(upload->fd);
	EVP_MD_CTX_free(upload->whole);
	pthread_mutex_destroy(&upload->lock);
	free(upload);
}

static void upload_list(struct upload *upload)
{
	pthread_mutex_lock(&upload->blob->lock);
	upload->next = upload->blob->uploads;
	upload->blob->uploads = upload;
	upload->blob->upload_count++;
	pthread_mutex_unlock(&upload->blob->lock);
}

struct upload *upload_find(struct blob *blob, const char *id, struct error *e)
{
	struct upload *upload;

	pthread_mutex_lock(&blob->lock);
	for (upload = blob->uploads; upload && strcmp(upload->row.id, id) != 0;)
		upload = upload->next;
	if (upload)
		upload->references++;
	else
		error_set(e, ERROR_UPLOAD_UNKNOWN, "There is no upload %.40s.", id);
	pthread_mutex_unlock(&blob->lock);
	return upload;
}

void upload_release(struct upload *upload)
{
	struct blob *blob = upload->blob;
	bool last;

	pthread_mutex_lock(&blob->lock);
	last = --upload->references == 0;
	pthread_mutex_unlock(&blob->lock);
	if (last)
		upload_free(upload);
}

void upload_unlist(struct upload *upload)
{
	struct blob *blob = upload->blob;
	struct upload **link = &blob->uploads;
	bool found = false;

	pthread_mutex_lock(&blob->lock);
	while (*link && *link != upload)
		link = &(*link)->next;
	if (*link) {
		*link = upload->next;
		blob->upload_count--;
		found = true;
	}
	pthread_mutex_unlock(&blob->lock);
	if (found)
		upload_release(upload);
}

int upload_open(struct upload *upload, struct error *e)
{
	if (upload->fd >= 0)
		return 0;
	upload->fd =
		openat(upload->blob->uploads_fd, upload->row.id, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	return upload->fd >= 0 ? 0
			       : error_set_errno(e, ERROR_INTERNAL, errno,
						 "The file of the upload cannot be opened.");
}

EVP_MD_CTX *upload_digest(const EVP_MD_CTX *from)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context && !(from ? EVP_MD_CTX_copy_ex(context, from)
			      : EVP_DigestInit_ex(context, EVP_sha256(), NULL))) {
		EVP_MD_CTX_free(context);
		return NULL;
	}
	return context;
}

/* ---- create ---- */

static void created(void *context, bool committed)
{
	struct upload *upload = context;

	if (committed) {
		upload_list(upload);
		pthread_mutex_lock(&upload->lock);
		if (upload->row.length == 0 &&
		    upload_open(upload, NULL) == 0) /* complete already */
			upload_settle(upload, &upload->creator, NULL, NULL);
		pthread_mutex_unlock(&upload->lock);
		return;
	}
	unlinkat(upload->blob->uploads_fd, upload->row.id, 0);
	upload_free(upload);
}

static int check_limits(struct blob *blob, struct store_tx *tx, int64_t length, struct error *e)
{
	int64_t outstanding = store_upload_outstanding(tx, e);
	unsigned count;

	if (outstanding < 0)
		return -1;
	if (length > BLOB_UPLOAD_MAX)
		return error_set(e, ERROR_UPLOAD_TOO_LARGE, "At most %lld bytes can be uploaded.",
				 (long long)BLOB_UPLOAD_MAX);
	pthread_mutex_lock(&blob->lock);
	count = blob->upload_count;
	pthread_mutex_unlock(&blob->lock);
	if (count >= BLOB_UPLOADS_MAX) {
		error_set(e, ERROR_RATE, "There are %u uploads already; delete one or wait.",
			  count);
		e->retry_after = 60;
		return -1;
	}
	return blob_room(blob, length + outstanding, e);
}

int blob_upload_create(struct blob *blob, struct store_tx *tx, struct upload_row *row,
		       const struct actor *actor, struct error *e)
{
	char resource[64];
	struct upload *upload;
	int fd;

	if (check_limits(blob, tx, row->length, e) < 0)
		return -1;
	id_make(row->id);
	row->offset = 0;
	row->image[0] = '\0';
	row->expires = clock_wall_ms() + BLOB_EXPIRY_MS;
	snprintf(row->created_by, sizeof(row->created_by), "%s", actor->name);
	snprintf(resource, sizeof(resource), "uploads/%s", row->id);
	if (store_upload_insert(tx, row, e) < 0 ||
	    audit_append(tx, actor, "upload.created", resource, "ok", e) < 0)
		return -1;
	fd = openat(blob->uploads_fd, row->id, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0640);
	if (fd < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno,
				       "Cannot make the file of an upload.");
	close(fd);
	upload = upload_new(blob, row);
	if (upload)
		upload->creator = *actor;
	if (upload && store_after(tx, created, upload, e) == 0)
		return 0;
	if (upload)
		upload_free(upload);
	else
		error_set(e, ERROR_INTERNAL, "Out of memory");
	unlinkat(blob->uploads_fd, row->id, 0);
	return -1;
}

/* ---- status ---- */

struct status {
	struct blob_job job;
	struct upload *upload;
	void (*done)(void *context, const struct upload_row *row, const struct error *e);
	void *context;
};

static void status_tell(struct upload *upload,
			void (*done)(void *context, const struct upload_row *row,
				     const struct error *e),
			void *context)
{
	struct upload_row row;
	struct error e;
	bool gone;

	pthread_mutex_lock(&upload->lock);
	row = upload->row;
	gone = upload->gone;
	pthread_mutex_unlock(&upload->lock);
	error_set(&e, ERROR_UPLOAD_UNKNOWN, "There is no upload %s.", row.id);
	upload_release(upload);
	done(context, gone ? NULL : &row, gone ? &e : NULL);
}

/* On the sync worker, behind the settle job that was under way. */
static void status_run(struct blob_job *job)
{
	struct status status = *(struct status *)job;

	free(job);
	status_tell(status.upload, status.done, status.context);
}

void blob_upload_status(struct blob *blob, const char *id,
			void (*done)(void *context, const struct upload_row *row,
				     const struct error *e),
			void *context)
{
	struct error e;
	struct upload *upload = upload_find(blob, id, &e);
	struct status *status;
	bool wait;

	if (!upload) {
		done(context, NULL, &e);
		return;
	}
	pthread_mutex_lock(&upload->lock);
	if (upload->holder && clock_monotonic_ms() - upload->heard_ms > BLOB_IDLE_MS)
		upload_evict(upload);
	wait = upload->settling > 0 && !upload->holder;
	pthread_mutex_unlock(&upload->lock);
	status = wait ? malloc(sizeof(*status)) : NULL;
	if (!status) {
		status_tell(upload, done, context);
		return;
	}
	*status = (struct status){{.run = status_run}, upload, done, context};
	blob_worker_post(blob->sync, &status->job);
}

/* ---- start-up ---- */

static bool upload_known(void *context, const char *name)
{
	struct upload *upload = upload_find(context, name, NULL);
	bool known = upload && !*upload->row.image;

	if (upload)
		upload_release(upload);
	return known;
}

/*
 * Bytes beyond the offset were never acknowledged, and may be part of a chunk whose checksum was not
 * seen: they go. Fewer bytes than the offset cannot be (they were synced): then the file is lost.
 */
static int upload_restore(struct blob *blob, const struct upload_row *row, struct error *e)
{
	struct upload *upload = upload_new(blob, row);
	struct stat st;

	if (!upload)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	upload_list(upload);
	if (*row->image)
		return 0;
	upload->fd =
		openat(blob->uploads_fd, row->id,
		       O_RDWR | O_NOFOLLOW | O_CLOEXEC | (row->offset == 0 ? O_CREAT : 0), 0640);
	if (upload->fd < 0 || fstat(upload->fd, &st) < 0 || st.st_size < row->offset) {
		fprintf(stderr, "domusd: the file of upload %s is damaged or missing\n", row->id);
		upload_delete(upload, &actor_system, INT64_MAX, NULL);
		return 0;
	}
	if (ftruncate(upload->fd, row->offset) < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot mend an upload.");
	if (row->offset == row->length) { /* it was being verified when we went down */
		pthread_mutex_lock(&upload->lock);
		upload_settle(upload, &actor_system, NULL, NULL);
		pthread_mutex_unlock(&upload->lock);
		return 0;
	}
	close(upload->fd);
	upload->fd = -1;
	return 0;
}

int blob_uploads_load(struct blob *blob, struct error *e)
{
	struct upload_row *rows = calloc(2 * BLOB_UPLOADS_MAX, sizeof(*rows));
	STORE_TX struct store_tx *tx = NULL;
	int count, result = 0;

	if (!rows)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	count = store_begin_read(blob->services.store, &tx, e) < 0
			? -1
			: store_upload_list(tx, "", 2 * BLOB_UPLOADS_MAX, rows, e);
	store_rollback(tx);
	tx = NULL;
	for (int i = 0; i < count && result == 0; i++)
		result = upload_restore(blob, &rows[i], e);
	free(rows);
	if (count < 0 || result < 0)
		return -1;
	blob_sweep(blob->uploads_fd, upload_known, blob);
	return 0;
}

void blob_uploads_free(struct blob *blob)
{
	while (blob->uploads) {
		struct upload *upload = blob->uploads;

		blob->uploads = upload->next;
		upload_free(upload);
	}
}
