#ifndef DOMUS_DOMUSD_BLOB_INTERNAL_H
#define DOMUS_DOMUSD_BLOB_INTERNAL_H

/* For blob*.c only. */
#include <pthread.h>

#include "domusd/blob.h"
#include "domusd/blob_worker.h"

struct upload;

struct blob {
	struct blob_services services;
	int uploads_fd, images_fd, volumes_fd; /* directories */
	struct blob_worker *sync, *slow;
	pthread_mutex_t lock; /* the list of uploads and their reference counts */
	struct upload *uploads;
	unsigned upload_count;
	struct blob_job expire; /* posted by blob_tick */
	bool expire_posted;
};

/* Names of the files in a directory that `known` does not know are unlinked. 0 or -1. */
int blob_sweep(int dir, bool (*known)(void *context, const char *name), void *context);
/* SHA-256 of the first `size` bytes of a file. Slow. 0 or -1 and *e. */
int blob_digest(int fd, int64_t size, unsigned char digest[32], struct error *e);

/* Start-up: reads the table, makes uploads whole again, removes files that belong to none. */
int blob_uploads_load(struct blob *blob, struct error *e);
void blob_uploads_free(struct blob *blob);
void blob_uploads_expire(struct blob *blob);

#endif
