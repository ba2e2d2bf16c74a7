#ifndef DOMUS_DOMUSD_API_DOMAIN_JSON_H
#define DOMUS_DOMUSD_API_DOMAIN_JSON_H

#include <jansson.h>

#include "domusd/store_domain.h"

/* A domain as openapi.yaml's Domain: new reference, NULL without memory. For domains.c, actions.c. */
json_t *domain_json(const struct domain_row *row);

#endif
