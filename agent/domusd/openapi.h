#ifndef DOMUS_DOMUSD_OPENAPI_H
#define DOMUS_DOMUSD_OPENAPI_H

#include "common/error.h"

/* The description of the API, api/openapi.yaml as JSON (make api), with our own version in it. */
int openapi_load(const char *path, struct error *e);
const char *openapi_text(void);
void openapi_free(void);

#endif
