/* Uploads end: on demand, of age, or to make room for a new one. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "domusd/blob_upload.h"
#include "domusd/clock.h"

int upload_delete(struct upload *upload, const struct actor *actor, int64_t expired_before,
		  struct error *e)
{
	struct blob *blob = upload->blob;
	STORE_TX struct store_tx *tx = NULL;
	char resource[64];
	int result = -1;

	pthread_mutex_lock(&upload->lock);
	snprintf(resource, sizeof(resource), "uploads/%s", upload->row.id);
	if (upload->holder && clock_monotonic_ms() - upload->heard_ms > BLOB_IDLE_MS)
		upload_evict(upload); /* which settles it: locked once more, then free */
	if (upload->holder || upload->settling > 0)
		error_set(e, ERROR_UPLOAD_LOCKED, "Another request writes to this upload.");
	else if (upload->gone || (expired_before && upload->row.expires >= expired_before))
		error_set(e, ERROR_UPLOAD_UNKNOWN, "There is no upload %s.", upload->row.id);
	else if (store_begin(blob->services.store, &tx, e) == 0 &&
		 store_upload_delete(tx, upload->row.id, e) == 0 &&
		 audit_append(tx, actor, expired_before ? "upload.expired" : "upload.deleted",
			      resource, "ok", e) == 0 &&
		 store_commit(&tx, e) == 0)
		result = 0;
	if (result == 0) {
		upload->gone = true;
		unlinkat(blob->uploads_fd, upload->row.id, 0);
	}
	pthread_mutex_unlock(&upload->lock);
	if (result == 0)
		upload_unlist(upload);
	return result;
}

int blob_upload_delete(struct blob *blob, const char *id, const struct actor *actor,
		       struct error *e)
{
	struct upload *upload = upload_find(blob, id, e);
	int result;

	if (!upload)
		return -1;
	result = upload_delete(upload, actor, 0, e);
	upload_release(upload);
	return result;
}

/* The ids of those in the list, as many as may be there at a time. */
static unsigned uploads_ids(struct blob *blob, char ids[BLOB_UPLOADS_MAX][41])
{
	unsigned count = 0;

	pthread_mutex_lock(&blob->lock);
	for (struct upload *u = blob->uploads; u && count < BLOB_UPLOADS_MAX; u = u->next)
		memcpy(ids[count++], u->row.id, sizeof(ids[0])); /* never changes */
	pthread_mutex_unlock(&blob->lock);
	return count;
}

/* The finished one that was heard of the longest ago; counted, or NULL. */
static struct upload *upload_oldest_finished(struct blob *blob, char ids[BLOB_UPLOADS_MAX][41],
					     unsigned count)
{
	struct upload *oldest = NULL;
	int64_t expires = INT64_MAX;

	for (unsigned i = 0; i < count; i++) {
		struct upload *upload = upload_find(blob, ids[i], NULL);
		bool older;

		if (!upload)
			continue;
		pthread_mutex_lock(&upload->lock);
		older = *upload->row.image && upload->row.expires < expires;
		if (older)
			expires = upload->row.expires;
		pthread_mutex_unlock(&upload->lock);
		if (older && oldest)
			upload_release(oldest);
		if (older)
			oldest = upload;
		else
			upload_release(upload);
	}
	return oldest;
}

void blob_uploads_make_room(struct blob *blob)
{
	char ids[BLOB_UPLOADS_MAX][41];
	unsigned count = uploads_ids(blob, ids);
	struct upload *oldest;

	if (count < BLOB_UPLOADS_MAX)
		return;
	oldest = upload_oldest_finished(blob, ids, count);
	if (!oldest)
		return;
	upload_delete(oldest, &actor_system, INT64_MAX, NULL);
	upload_release(oldest);
}

void blob_uploads_expire(struct blob *blob)
{
	char ids[BLOB_UPLOADS_MAX][41];
	unsigned count = uploads_ids(blob, ids);
	int64_t now = clock_wall_ms();

	for (unsigned i = 0; i < count; i++) {
		struct upload *upload = upload_find(blob, ids[i], NULL);

		if (!upload)
			continue;
		upload_delete(upload, &actor_system, now, NULL);
		upload_release(upload);
	}
}
