#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domusd/blob_upload.h"
#include "domusd/clock.h"
#include "domusd/id.h"

/*
 * The order that makes a power cut harmless:
 *	bytes on disk (fdatasync), then the offset in the database, then the answer;
 *	all bytes on disk, the digest right, a second name images/<id> (link, fsync of the directory),
 *	then one transaction: image, upload, event, audit; then the first name goes.
 * A crash in between leaves a file without a row (removed at start-up) or an upload whose offset is
 * its length without an image (settled again at start-up).
 */

/* fdatasync, then the database. Without upload->lock for the slow part; the file only grows
 * meanwhile. A file that cannot be synced (EIO, or no room for what was delayed) counts up to where
 * it was. */
static int make_durable(struct upload *upload, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct store *store = upload->blob->services.store;
	int64_t upto, expires = clock_wall_ms() + BLOB_EXPIRY_MS;
	int fd;

	pthread_mutex_lock(&upload->lock);
	fd = upload->fd;
	/* not into a chunk whose digest is not proven yet */
	upto = upload->holder && upload->holder->request.digest ? upload->holder->start
								: upload->written;
	pthread_mutex_unlock(&upload->lock);
	if (fdatasync(fd) < 0 || (upload->row.offset == 0 && fsync(upload->blob->uploads_fd) < 0))
		return error_set_errno(e, ERROR_INTERNAL, errno,
				       "Cannot write the upload to disk.");
	if (store_begin(store, &tx, e) < 0 ||
	    store_upload_progress(tx, upload->row.id, upto, expires, e) < 0 ||
	    store_commit(&tx, e) < 0)
		return -1;
	pthread_mutex_lock(&upload->lock);
	upload->row.offset = upto;
	upload->row.expires = expires;
	pthread_mutex_unlock(&upload->lock);
	return 0;
}

/* The digest of the whole file: what was computed as it came, or by reading it again. */
static int whole_digest(struct upload *upload, unsigned char digest[32], struct error *e)
{
	EVP_MD_CTX *whole = upload->whole;

	upload->whole = NULL;
	if (whole && EVP_DigestFinal_ex(whole, digest, NULL)) {
		EVP_MD_CTX_free(whole);
		return 0;
	}
	EVP_MD_CTX_free(whole);
	return blob_digest(upload->fd, upload->row.length, digest, e);
}

/* Not what was promised: nothing of it is kept. */
static int refuse(struct upload *upload, const struct actor *actor, const char *found,
		  struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct blob *blob = upload->blob;
	char resource[64];

	snprintf(resource, sizeof(resource), "uploads/%s", upload->row.id);
	if (store_begin(blob->services.store, &tx, e) < 0 ||
	    store_upload_delete(tx, upload->row.id, e) < 0 ||
	    audit_append(tx, actor, "upload.refused", resource, error_name(ERROR_UPLOAD_SHA256),
			 e) < 0 ||
	    store_commit(&tx, e) < 0)
		return -1;
	pthread_mutex_lock(&upload->lock);
	upload->gone = true;
	pthread_mutex_unlock(&upload->lock);
	unlinkat(blob->uploads_fd, upload->row.id, 0);
	upload_unlist(upload);
	return error_set(e, ERROR_UPLOAD_SHA256,
			 "The file has the SHA-256 %s, promised was %s. The upload was removed.",
			 found, upload->row.sha256);
}

static int image_register(struct upload *upload, const struct image *image,
			  const struct actor *actor, struct error *e)
{
	const struct blob_services *s = &upload->blob->services;
	STORE_TX struct store_tx *tx = NULL;
	char resource[64];
	struct event event = {
		.type = "image.created", .resource = resource, .revision = 1, .actor = actor};

	snprintf(resource, sizeof(resource), "images/%s", image->id);
	return store_begin(s->store, &tx, e) < 0 || store_image_insert(tx, image, e) < 0 ||
			       store_upload_complete(tx, upload->row.id, image->id, e) < 0 ||
			       journal_append(s->journal, tx, &event, e) < 0 ||
			       store_commit(&tx, e) < 0
		       ? -1
		       : 0;
}

/* All bytes are on disk: verify, and make it an image. */
static int complete(struct upload *upload, const struct actor *actor, struct error *e)
{
	struct blob *blob = upload->blob;
	struct image image = {.kind = upload->row.kind,
			      .size = upload->row.length,
			      .created = clock_wall_ms(),
			      .revision = 1};
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (whole_digest(upload, digest, e) < 0)
		return -1;
	sha256_hex(digest, image.sha256);
	if (*upload->row.sha256 && strcmp(upload->row.sha256, image.sha256) != 0)
		return refuse(upload, actor, image.sha256, e);
	id_make(image.id);
	snprintf(image.name, sizeof(image.name), "%s", upload->row.name);
	if (linkat(blob->uploads_fd, upload->row.id, blob->images_fd, image.id, 0) < 0 ||
	    fsync(blob->images_fd) < 0 || image_register(upload, &image, actor, e) < 0) {
		if (!e->detail[0])
			error_set_errno(e, ERROR_INTERNAL, errno, "Cannot make the image.");
		unlinkat(blob->images_fd, image.id, 0);
		return -1;
	}
	unlinkat(blob->uploads_fd, upload->row.id, 0);
	pthread_mutex_lock(&upload->lock);
	snprintf(upload->row.image, sizeof(upload->row.image), "%s", image.id);
	pthread_mutex_unlock(&upload->lock);
	return 0;
}

/* The end of a settle job: tells who waits, and closes the file when nobody writes any more. */
static void settled(struct settle *settle, int result, const struct error *e)
{
	struct upload *upload = settle->upload;
	struct settle done = *settle;
	struct upload_row row;

	pthread_mutex_lock(&upload->lock);
	upload->settling--;
	if (upload->settling == 0 && !upload->holder && !upload->checkpointing && upload->fd >= 0) {
		close(upload->fd);
		upload->fd = -1;
	}
	row = upload->row;
	pthread_mutex_unlock(&upload->lock);
	upload_release(upload);
	free(settle);
	if (done.done)
		done.done(done.context, result < 0 ? NULL : &row, result < 0 ? e : NULL);
	else if (result < 0)
		fprintf(stderr, "domusd: upload %s: %s\n", row.id, e->detail);
}

static void complete_run(struct blob_job *job)
{
	struct settle *settle = (struct settle *)job;
	struct error e = {.code = ERROR_NONE};
	int result = complete(settle->upload, &settle->actor, &e);

	settled(settle, result, &e);
}

static void settle_run(struct blob_job *job)
{
	struct settle *settle = (struct settle *)job;
	struct upload *upload = settle->upload;
	struct error e = {.code = ERROR_NONE};
	bool whole, quick;
	int result = 0;

	pthread_mutex_lock(&upload->lock);
	whole = !*upload->row.image && !upload->holder && upload->written == upload->row.length &&
		upload->settling == 1 && !upload->gone;
	quick = upload->whole != NULL;
	pthread_mutex_unlock(&upload->lock);
	if (!upload->gone && !*upload->row.image)
		result = make_durable(upload, &e);
	if (result < 0 || !whole) {
		settled(settle, result, &e);
		return;
	}
	job->run = complete_run; /* reading gigabytes again must not hold up other uploads */
	if (quick)
		complete_run(job);
	else
		blob_worker_post(upload->blob->slow, job);
}

bool upload_settle(struct upload *upload, const struct actor *actor,
		   void (*done)(void *context, const struct upload_row *row, const struct error *e),
		   void *context)
{
	struct settle *settle = calloc(1, sizeof(*settle));

	if (!settle)
		return false;
	settle->job.run = settle_run;
	settle->upload = upload;
	settle->actor = *actor;
	settle->done = done;
	settle->context = context;
	upload->settling++;
	pthread_mutex_lock(&upload->blob->lock);
	upload->references++;
	pthread_mutex_unlock(&upload->blob->lock);
	blob_worker_post(upload->blob->sync, &settle->job);
	return true;
}

static void checkpoint_run(struct blob_job *job)
{
	struct settle *checkpoint = (struct settle *)job;
	struct upload *upload = checkpoint->upload;
	struct error e;
	void (*go_on)(void *context) = NULL;

	if (make_durable(upload, &e) < 0)
		fprintf(stderr, "domusd: upload %s: %s\n", upload->row.id, e.detail);
	pthread_mutex_lock(&upload->lock);
	upload->checkpointing = false;
	if (upload->holder && upload->holder->waiting) {
		upload->holder->waiting = false;
		go_on = upload->holder->request.go_on;
		/* under the lock: a broken connection takes it before its context goes */
		go_on(upload->holder->request.context);
	}
	pthread_mutex_unlock(&upload->lock);
	upload_release(upload);
}

void upload_checkpoint(struct upload *upload)
{
	if (upload->checkpointing)
		return;
	upload->checkpointing = true;
	upload->checkpoint.upload = upload;
	upload->checkpoint.job.run = checkpoint_run;
	pthread_mutex_lock(&upload->blob->lock);
	upload->references++;
	pthread_mutex_unlock(&upload->blob->lock);
	blob_worker_post(upload->blob->sync, &upload->checkpoint.job);
}
