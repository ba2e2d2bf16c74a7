#ifndef DOMUS_DOMUSD_BLOB_UPLOAD_H
#define DOMUS_DOMUSD_BLOB_UPLOAD_H

/*
 * Shared by blob_upload.c (the list: create, status, start-up), blob_patch.c (bytes arrive),
 * blob_settle.c (bytes become durable, the upload an image) and blob_expire.c (delete, expiry).
 */
#include <openssl/evp.h>

#include "domusd/blob_internal.h"

struct upload;

/* Bytes to be made durable, perhaps with somebody waiting for it. */
struct settle {
	struct blob_job job;
	struct upload *upload; /* counted */
	struct actor actor;
	void (*done)(void *context, const struct upload_row *row, const struct error *e); /* or NULL */
	void *context;
};

/*
 * An upload in memory. `written` runs ahead of `row.offset`, which is what the database and the
 * disk have for sure. Who holds the upload (a patch) appends; a checkpoint or a settle job follows.
 */
struct upload {
	struct upload *next;  /* blob->lock */
	unsigned references;  /* blob->lock; 1 for the list */
	struct blob *blob;
	pthread_mutex_t lock; /* everything below */
	struct upload_row row;
	struct actor creator; /* of one made since domusd started */
	struct blob_patch *holder;
	int64_t heard_ms; /* when the holder last brought bytes */
	int fd;		  /* -1 while nobody writes */
	int64_t written;
	EVP_MD_CTX *whole;	  /* SHA-256 of [0, written), or NULL: read the file again */
	unsigned settling;	  /* settle jobs under way */
	bool checkpointing;	  /* `checkpoint` is queued */
	struct settle checkpoint; /* without anybody waiting */
	bool gone;		  /* deleted */
};

struct blob_patch {
	struct upload *upload;	/* counted */
	struct blob_patch_request request;
	int64_t start;		/* offset before its first byte */
	EVP_MD_CTX *chunk;	/* SHA-256 of the body, when it promised one */
	EVP_MD_CTX *before;	/* upload->whole as it was */
	unsigned char digest[32];
	bool waiting;		/* go_on() is due */
};

/* Counted reference, or NULL and ERROR_UPLOAD_UNKNOWN. */
struct upload *upload_find(struct blob *blob, const char *id, struct error *e);
void upload_release(struct upload *upload);
/* Takes it out of the list, once. upload->gone is set by the caller. */
void upload_unlist(struct upload *upload);
/*
 * Holding no lock: row, file and the list's reference go. expired_before (wall clock, ms) 0: on demand, else only if it
 * expired before. 0, or -1 and *e: ERROR_UPLOAD_LOCKED while a request writes, ERROR_UPLOAD_UNKNOWN when it is gone or did
 * not expire, or the store's.
 */
int upload_delete(struct upload *upload, const struct actor *actor, int64_t expired_before,
		  struct error *e);
/* Holding upload->lock: the holder loses it; its bytes stay, or with a digest go. */
void upload_evict(struct upload *upload);
/* Holding upload->lock: queues what was written to be made durable. false without memory. */
bool upload_settle(struct upload *upload, const struct actor *actor,
		   void (*done)(void *context, const struct upload_row *row, const struct error *e),
		   void *context);
/* Holding upload->lock: a checkpoint in the middle of a request. */
void upload_checkpoint(struct upload *upload);
/* Holding upload->lock: opens the file when it is not. 0 or -1 and *e. */
int upload_open(struct upload *upload, struct error *e);

/* A SHA-256 that begins, or goes on from another; NULL without memory. */
EVP_MD_CTX *upload_digest(const EVP_MD_CTX *from);

#endif
