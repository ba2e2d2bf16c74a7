#ifndef DOMUS_KEEPER_FILES_H
#define DOMUS_KEEPER_FILES_H

/*
 * Opens the images and volumes that domusd keeps, without trusting domusd: an id is one path
 * component in STATE/images or STATE/volumes, never a symbolic link, and a regular file that belongs
 * to the client user. Everything later works on the descriptor, so a file
 * that is swapped afterwards changes nothing.
 */
#include <sys/types.h>

#include "common/error.h"
#include "common/verbs.h"
#include "keeper/machine.h"

struct files {
	int images, volumes; /* directories */
	uid_t owner;
};

/* Opens STATE/images and STATE/volumes; files in them must belong to owner. 0, or -1 with *e. */
int files_open(struct files *f, const char *state, uid_t owner, struct error *e);
void files_close(struct files *f);

/*
 * Opens what the request names but devices, locks the volumes (flock(2); a writer alone, readers together) and checks that the kernel is an arm64 Image (Linux
 * Documentation/arch/arm64/booting.rst, "Call the kernel image"). 0 and the caller calls
 * files_release(), or -1 and everything is closed again.
 */
int files_acquire(const struct files *f, const struct verbs_create_request *r,
		  struct machine_files *out, struct error *e);
void files_release(struct machine_files *out);

#endif
