#include "domusd/events.h"

#include "domusd/api/api.h"
#include "domusd/checks.h"
#include "domusd/domusd.h"

#define SEQ_MAX INT64_C(999999999999999999) /* 18 digits */

void api_events_get(struct request *r)
{
	const char *last = request_header(r, "Last-Event-ID");
	int64_t after = -1;
	struct error e;

	if (last ? check_decimal(last, SEQ_MAX, &after) < 0
		 : request_query_integer(r, "after", 0, SEQ_MAX, -1, &after, &e) < 0) {
		if (last)
			error_set(&e, ERROR_HEADER, "Last-Event-ID must be a sequence number.");
		request_fail(r, &e);
		return;
	}
	if (events_stream(domusd.events, r, after, &e) < 0)
		request_fail(r, &e);
}
