#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domusd/blob_upload.h"
#include "domusd/clock.h"

/* Holding upload->lock: forgets everything from `offset` on. */
static void roll_back(struct upload *upload, struct blob_patch *patch)
{
	if (ftruncate(upload->fd, patch->start) < 0)
		fprintf(stderr, "domusd: cannot shorten upload %s: %s\n", upload->row.id,
			strerror(errno));
	upload->written = patch->start;
	EVP_MD_CTX_free(upload->whole);
	upload->whole = patch->before;
	patch->before = NULL;
}

/* Holding upload->lock: the patch no longer holds the upload. An incomplete chunk that promised a
 * digest cannot be checked any more: it goes, as if it never came. */
static void let_go(struct blob_patch *patch)
{
	struct upload *upload = patch->upload;

	upload->holder = NULL;
	patch->waiting = false;
	if (patch->request.digest && upload->fd >= 0)
		roll_back(upload, patch);
	upload_settle(upload, &patch->request.actor, NULL, NULL);
}

void upload_evict(struct upload *upload)
{
	let_go(upload->holder);
}

static void patch_free(struct blob_patch *patch)
{
	EVP_MD_CTX_free(patch->chunk);
	EVP_MD_CTX_free(patch->before);
	upload_release(patch->upload);
	free(patch);
}

/* ---- begin ---- */

/* Holding upload->lock. */
static int may_begin(struct upload *upload, const struct blob_patch_request *request,
		     struct error *e)
{
	if (upload->gone)
		return error_set(e, ERROR_UPLOAD_UNKNOWN, "There is no upload %s.", upload->row.id);
	if (upload->holder && clock_monotonic_ms() - upload->heard_ms > BLOB_IDLE_MS)
		upload_evict(upload);
	if (upload->holder)
		return error_set(e, ERROR_UPLOAD_LOCKED, "Another request writes to this upload.");
	if (request->offset != upload->written)
		return error_set(e, ERROR_OFFSET, "The upload goes on at %lld, not at %lld.",
				 (long long)upload->written, (long long)request->offset);
	if (request->length > upload->row.length - upload->written)
		return error_set(e, ERROR_UPLOAD_TOO_LARGE,
				 "Only %lld bytes are missing, not %lld.",
				 (long long)(upload->row.length - upload->written),
				 (long long)request->length);
	if (*upload->row.image && request->length > 0)
		return error_set(e, ERROR_OFFSET, "The upload is complete.");
	return request->length > 0 ? blob_room(upload->blob, request->length, e) : 0;
}

/* Holding upload->lock. */
static int prepare(struct blob_patch *patch, struct error *e)
{
	struct upload *upload = patch->upload;
	bool promised = patch->request.digest != NULL;

	if (!*upload->row.image && upload_open(upload, e) < 0)
		return -1;
	if (upload->written == 0 && !upload->whole)
		upload->whole = upload_digest(NULL);
	if (promised) {
		memcpy(patch->digest, patch->request.digest, sizeof(patch->digest));
		patch->request.digest = patch->digest;
		patch->chunk = upload_digest(NULL);
		if (upload->whole)
			patch->before = upload_digest(upload->whole);
		if (!patch->chunk)
			return error_set(e, ERROR_INTERNAL, "Out of memory");
	}
	patch->start = upload->written;
	upload->heard_ms = clock_monotonic_ms();
	upload->holder = patch;
	return 0;
}

int blob_patch_begin(struct blob *blob, const struct blob_patch_request *request,
		     struct blob_patch **out, struct error *e)
{
	struct upload *upload = upload_find(blob, request->id, e);
	struct blob_patch *patch = upload ? calloc(1, sizeof(*patch)) : NULL;
	int result;

	*out = NULL;
	if (!upload)
		return -1;
	if (!patch) {
		upload_release(upload);
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	}
	patch->upload = upload;
	patch->request = *request;
	patch->request.id = NULL; /* borrowed */
	pthread_mutex_lock(&upload->lock);
	result = may_begin(upload, request, e);
	if (result == 0)
		result = prepare(patch, e);
	pthread_mutex_unlock(&upload->lock);
	if (result < 0)
		patch_free(patch);
	else
		*out = patch;
	return result;
}

/* ---- write ---- */

/* Holding upload->lock. What was written before an error stays, and counts. */
static int append(struct upload *upload, const unsigned char *data, size_t size, struct error *e)
{
	while (size > 0) {
		ssize_t put = pwrite(upload->fd, data, size, upload->written);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return error_set_errno(e, ERROR_INTERNAL, errno,
					       errno == ENOSPC || errno == EDQUOT
						       ? "The disk is full; go on when there is "
							 "room."
						       : "Cannot write the upload.");
		if (upload->whole && !EVP_DigestUpdate(upload->whole, data, (size_t)put)) {
			EVP_MD_CTX_free(upload->whole);
			upload->whole = NULL; /* the file is read again at the end */
		}
		upload->written += put;
		data += put;
		size -= (size_t)put;
	}
	return 0;
}

static int write_locked(struct blob_patch *patch, const void *data, size_t size, struct error *e)
{
	struct upload *upload = patch->upload;
	int64_t unsynced = upload->written - upload->row.offset;

	if (upload->holder != patch)
		return error_set(e, ERROR_UPLOAD_LOCKED,
				 "This request was silent for so long that another took over.");
	upload->heard_ms = clock_monotonic_ms();
	if ((int64_t)size > upload->row.length - upload->written)
		return error_set(e, ERROR_UPLOAD_TOO_LARGE, "More bytes came than were announced.");
	if (unsynced > BLOB_UNSYNCED_MAX && upload->checkpointing) {
		patch->waiting = true;
		return 0;
	}
	if (unsynced / BLOB_CHECKPOINT != (unsynced + (int64_t)size) / BLOB_CHECKPOINT) {
		if (blob_room(upload->blob, BLOB_CHECKPOINT, e) < 0)
			return -1; /* the reserve is not for uploads */
		upload_checkpoint(upload);
	}
	if (patch->chunk && !EVP_DigestUpdate(patch->chunk, data, size))
		return error_set(e, ERROR_INTERNAL, "Cannot compute SHA-256.");
	return append(upload, data, size, e) < 0 ? -1 : 1;
}

int blob_patch_write(struct blob_patch *patch, const void *data, size_t size, struct error *e)
{
	int result;

	pthread_mutex_lock(&patch->upload->lock);
	result = write_locked(patch, data, size, e);
	pthread_mutex_unlock(&patch->upload->lock);
	return result;
}

/* ---- the end ---- */

/* Holding upload->lock: does the chunk have the digest that it promised? */
static int check_chunk(struct blob_patch *patch, struct error *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (!patch->request.digest)
		return 0;
	if (EVP_DigestFinal_ex(patch->chunk, digest, NULL) &&
	    memcmp(digest, patch->digest, sizeof(patch->digest)) == 0) {
		patch->request.digest = NULL; /* proven: its bytes stay whatever comes */
		return 0;
	}
	return error_set(e, ERROR_CHECKSUM,
			 "The bytes that came do not have the promised SHA-256; none was kept.");
}

void blob_patch_finish(struct blob_patch *patch,
		       void (*done)(void *context, const struct upload_row *row,
				    const struct error *e),
		       void *context)
{
	struct upload *upload = patch->upload;
	struct error e;
	int result = 0;

	pthread_mutex_lock(&upload->lock);
	if (upload->holder != patch)
		result = error_set(&e, ERROR_UPLOAD_LOCKED, "Another request took over.");
	else if (check_chunk(patch, &e) < 0)
		result = -1;
	if (result == 0) {
		upload->holder = NULL;
		if (!upload_settle(upload, &patch->request.actor, done, context))
			result = error_set(&e, ERROR_INTERNAL, "Out of memory");
	} else if (upload->holder == patch) {
		let_go(patch);
	}
	pthread_mutex_unlock(&upload->lock);
	patch_free(patch);
	if (result < 0)
		done(context, NULL, &e);
}

void blob_patch_abort(struct blob_patch *patch)
{
	if (!patch)
		return;
	pthread_mutex_lock(&patch->upload->lock);
	if (patch->upload->holder == patch)
		let_go(patch);
	pthread_mutex_unlock(&patch->upload->lock);
	patch_free(patch);
}
