#ifndef DOMUS_DOMUSD_PROBLEM_H
#define DOMUS_DOMUSD_PROBLEM_H

#include <jansson.h>

#include "common/error.h"

/*
 * An error as RFC 9457 problem details in the form of openapi.yaml (Problem): what a reply carries,
 * and what an operation keeps as its error. `instance` is the path of the request or of the
 * operation, request_id that of the request. A 500 never carries e->detail, which may speak of our
 * insides: that went to the log. New reference; NULL only without memory.
 */
json_t *problem_json(const struct error *e, const char *instance, const char *request_id);

#endif
