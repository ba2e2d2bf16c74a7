#ifndef DOMUS_DOMUSD_ID_H
#define DOMUS_DOMUSD_ID_H

#include <stdbool.h>

/*
 * Ids of resources are made here, never by a client, and are no path: 20 characters of [a-z2-7],
 * 100 random bits. Any string from outside must pass id_valid() (openapi.yaml: Id) before it comes
 * near a file name.
 */
#define ID_SIZE 21

/* Fills id with a fresh one. Does not fail: without random numbers the process ends. */
void id_make(char id[ID_SIZE]);
/* [a-z0-9-]{1,40} */
bool id_valid(const char *id);
/* n secret random bytes as unpadded base64url; text holds at least (n * 4 + 2) / 3 + 1 bytes; n is
 * at most 64. */
void id_secret(char *text, unsigned n);

#endif
