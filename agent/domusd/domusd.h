#ifndef DOMUS_DOMUSD_DOMUSD_H
#define DOMUS_DOMUSD_DOMUSD_H

/*
 * The one structure that is the program. main.c fills it in the order of the fields before the
 * first request is served and empties it backwards at the end; in between the pointers do not
 * change. api/ files reach the services through it; services get what they need from below as
 * arguments of their open function, so that tests need no program.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct domusd_options {
	const char *state;   /* --state DIR */
	const char *keeper;  /* --keeper SOCKET */
	const char *webui;   /* --webui DIR, or NULL: no dashboard */
	const char *openapi; /* --openapi FILE, JSON */
	const char *listen;  /* --listen [ADDRESS:]PORT */
	const char *banner;  /* --banner FILE, or NULL */
	bool tls12;	     /* --tls12 */
};

struct domusd {
	struct domusd_options options;
	int state_fd; /* the state directory (O_PATH would not do: it is fsynced) */
	int64_t started_monotonic_ms;
	char boot_id[40]; /* of Dom0's kernel */
	struct ticker *ticker;
	struct store *store;
	struct journal *journal;
	struct operations *operations;
	struct pki *pki;
	struct auth *auth;
	/* content.c's: */
	struct keeper_client *keeper;
	struct blob *blob;
	struct power *power;
	struct console_hub *console_hub;
	struct lifecycle *lifecycle;
	/* last: */
	struct events *events;
	struct http *http;
	atomic_bool ready;
};

extern struct domusd domusd;

#endif
