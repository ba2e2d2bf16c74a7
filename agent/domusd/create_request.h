#ifndef DOMUS_DOMUSD_CREATE_REQUEST_H
#define DOMUS_DOMUSD_CREATE_REQUEST_H

#include "common/verbs.h"
#include "domusd/store_domain.h"

/*
 * DOMAIN_CREATE for what a row defines: request is started and filled. A definition holds no more than a request takes
 * (definition.h), and its MACs are made (definition_check.h). Pure.
 */
void create_request_fill(struct verbs_create_request *request, const struct domain_row *row);

#endif
