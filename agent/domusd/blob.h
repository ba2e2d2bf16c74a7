#ifndef DOMUS_DOMUSD_BLOB_H
#define DOMUS_DOMUSD_BLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "domusd/actor.h"
#include "domusd/journal.h"
#include "domusd/operation.h"
#include "domusd/store.h"
#include "domusd/store_image.h"
#include "domusd/store_upload.h"
#include "domusd/store_volume.h"

/*
 * The large files: uploads under way, images, volumes. Each is STATE/uploads, images or volumes/<id>;
 * ids are made here, and files are opened relative to the directory's descriptor only. The database
 * says what exists; a file that it does not know is removed at start-up, one that it knows and is not
 * there is reported. docs/uploads.md tells the rules of durability.
 *
 * Threads: two workers. `sync` makes written bytes durable; `slow` verifies and copies. Locks, in
 * this order: that of an upload, the store's, that of the list of uploads.
 */
struct blob;

struct blob_services {
	int state_fd; /* the state directory, borrowed */
	struct store *store;
	struct journal *journal;
	struct operations *operations;
};

#define BLOB_UPLOAD_MAX	    (INT64_C(1) << 40)	 /* bytes, largest upload */
#define BLOB_UPLOADS_MAX    128			 /* at a time; a new one takes the place of the oldest finished one */
#define BLOB_RESERVE	    (INT64_C(64) << 20)	 /* bytes of the disk that uploads and volumes leave free; of a small disk a 16th */
#define BLOB_EXPIRY_MS	    (INT64_C(24) * 3600 * 1000) /* an upload's life after its last byte */
#define BLOB_CHECKPOINT	    (INT64_C(16) << 20)	 /* bytes between two checkpoints of one request */
#define BLOB_UNSYNCED_MAX   (INT64_C(64) << 20)	 /* bytes not yet durable at which a client is held back */
#define BLOB_IDLE_MS	    10000 /* a writer silent for so long loses the upload to the next one */

/* Makes the directories, compares them with the database, starts the workers. 0 or -1 and *e. */
int blob_open(const struct blob_services *services, struct blob **out, struct error *e);
/* After HTTP has ended. Ends long copies as failed. NULL is fine. */
void blob_close(struct blob *blob);
/* For the ticker: removes expired uploads (on a worker). */
void blob_tick(void *blob);

/* ERROR_STORAGE unless `size` more bytes fit beside everything promised and the reserve. */
int blob_room(struct blob *blob, int64_t size, struct error *e);
/* Bytes of the file system with the state, and how many are free. 0 or -1. */
int blob_space(struct blob *blob, int64_t *total, int64_t *free_bytes);

/* ---- images ---- */

/* An image's file, read only; the caller closes it. -1 and *e. */
int blob_image_fd(struct blob *blob, const char *id, struct error *e);
/* After the row is gone: removes the file. */
void blob_image_unlink(struct blob *blob, const char *id);

/* ---- volumes ---- */

/* An empty volume's (sparse) file, durable when it returns: takes milliseconds, not for HTTP threads. 0 or -1. */
int blob_volume_make(struct blob *blob, const struct volume *volume, struct error *e);
void blob_volume_unlink(struct blob *blob, const char *id);
/*
 * Copies an image into a new volume, as operation `operation` (created, committed, and pending). On
 * success the volume's row, event and the operation's end are one transaction. 0, or -1 and *e: the
 * copy has not begun and the operation is ended by the caller.
 */
int blob_volume_copy(struct blob *blob, const struct volume *volume, const char *operation,
		     const struct actor *actor, struct error *e);
/* Runs run(context), which takes milliseconds, on the sync worker. -1 without memory. */
int blob_later(struct blob *blob, void (*run)(void *context), void *context);

/* ---- uploads ---- */

/* Before that transaction begins: when there are BLOB_UPLOADS_MAX, the oldest finished one goes; its image stays. */
void blob_uploads_make_room(struct blob *blob);
/*
 * Makes an upload in the caller's transaction; it can be used after the commit. row->id, offset and
 * expires are filled. ERROR_UPLOAD_TOO_LARGE, ERROR_STORAGE, ERROR_RATE.
 */
int blob_upload_create(struct blob *blob, struct store_tx *tx, struct upload_row *row,
		       const struct actor *actor, struct error *e);

/* Calls done() once: at once, or from a worker when bytes of a broken request are still being made durable. row (borrowed)
 * or e. */
void blob_upload_status(struct blob *blob, const char *id,
			void (*done)(void *context, const struct upload_row *row,
				     const struct error *e),
			void *context);
/* tus termination. A finished image stays. ERROR_UPLOAD_LOCKED while a request writes. */
int blob_upload_delete(struct blob *blob, const char *id, const struct actor *actor,
		       struct error *e);

/* One PATCH. */
struct blob_patch;

struct blob_patch_request {
	const char *id;
	int64_t offset;
	int64_t length;		     /* of the body, -1: not known */
	const unsigned char *digest; /* 32 bytes that the body must have as SHA-256, or NULL */
	struct actor actor;
	/* Called from a worker after blob_patch_write() took nothing: offer the bytes again. */
	void (*go_on)(void *context);
	void *context;
};

/* ERROR_OFFSET, _UPLOAD_LOCKED, _UPLOAD_UNKNOWN, _UPLOAD_TOO_LARGE, _STORAGE. */
int blob_patch_begin(struct blob *blob, const struct blob_patch_request *request,
		     struct blob_patch **out, struct error *e);
/* Takes all bytes (1), none for now (0, then go_on() follows), or fails (-1). */
int blob_patch_write(struct blob_patch *patch, const void *data, size_t size, struct error *e);
/*
 * The body is complete. done() is called once, from a worker or at once: with the upload, whose
 * offset is durable then, and whose image is set if that was the last byte; or with the error. The
 * patch is used up.
 */
void blob_patch_finish(struct blob_patch *patch,
		       void (*done)(void *context, const struct upload_row *row,
				    const struct error *e),
		       void *context);
/* The connection broke or the request failed: what was received stays, or with a digest none of it.
 * The patch is used up. NULL is fine. */
void blob_patch_abort(struct blob_patch *patch);

#endif
