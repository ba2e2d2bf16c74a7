#ifndef DOMUS_DOMUSD_STORE_NAMES_H
#define DOMUS_DOMUSD_STORE_NAMES_H

#include <jansson.h>

#include "domusd/store_internal.h"

/* Lists of names out of the database, for used_by and for messages. */

/* The first column of all rows as a new array of strings, or NULL and *e. */
json_t *store_names(struct store_tx *tx, sqlite3_stmt *statement, struct error *e);
/* "web, db and 3 more" */
void store_names_text(const json_t *names, char *text, size_t size);

#endif
