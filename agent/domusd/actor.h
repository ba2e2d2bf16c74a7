#ifndef DOMUS_DOMUSD_ACTOR_H
#define DOMUS_DOMUSD_ACTOR_H

/* Who does something, as events, operations and the audit record name him. Plain data: copy it as
 * you like. */

enum privilege {
	PRIVILEGE_NONE,	   /* nobody in particular: no credential needed */
	PRIVILEGE_READ,	   /* look */
	PRIVILEGE_OPERATE, /* look and change what the appliance is for: images, volumes, domains */
	PRIVILEGE_ADMIN,   /* everything, users and tokens included */
};

struct actor {
	char name[40];	  /* user name, or "system" */
	char method[12];  /* how he proved it: "session", "token", "claim", "none", or "system" */
	char address[48]; /* IP address without port, or "" */
	char request_id[24]; /* of the HTTP request, or "" */
};

/* The appliance itself: timers, start-up, what the keeper reports. */
extern const struct actor actor_system;

/* "none", "read", "operate", "admin": the words of x-privilege in openapi.yaml. */
const char *privilege_name(enum privilege privilege);

#endif
