#ifndef DOMUS_COMMON_VERBS_INTERNAL_H
#define DOMUS_COMMON_VERBS_INTERNAL_H

/* Of verbs.c and verbs_device.c: what the checks share. */
#include "common/verbs.h"

/* A string that ends inside its array. Nothing else may look at a received string before this did. */
#define ENDS(array) (memchr((array), 0, sizeof(array)) != NULL)
#define TEXT(array) (ENDS(array) && verbs_printable(array))

int verbs_malformed(struct error *e, const char *what);
bool verbs_printable(const char *s);
int verbs_domain_check(const struct verbs_domain *d, struct error *e);

/* verbs_device.c */
int verbs_device_check(const struct verbs_device *d, struct error *e);
int verbs_devices_check(const struct verbs_devices_response *r, struct error *e);
int verbs_device_event_check(const struct verbs_device_event *v, struct error *e);

#endif
