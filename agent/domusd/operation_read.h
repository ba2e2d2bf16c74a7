#ifndef DOMUS_DOMUSD_OPERATION_READ_H
#define DOMUS_DOMUSD_OPERATION_READ_H

#include "domusd/operation.h"

/* Operations as they are shown: for api/, which answers with them, and for the metrics. */

/* As openapi.yaml's Operation, with the progress of this moment. New reference, or NULL:
 * ERROR_OPERATION_UNKNOWN. */
json_t *operation_json(struct operations *operations, const char *id, struct error *e);
/* The same inside the transaction that created it, for the 202. */
json_t *operation_json_tx(struct operations *operations, struct store_tx *tx, const char *id,
			  struct error *e);
/* The newest first: an array, and in *next (0 at the end) the cursor to go on with; before = 0
 * begins. */
json_t *operation_list(struct operations *operations, int64_t before, int limit, int64_t *next,
		       struct error *e);

/* For metrics: how many of each state are kept. */
void operation_counts(struct operations *operations, int64_t counts[OPERATION_INTERRUPTED + 1]);

#endif
