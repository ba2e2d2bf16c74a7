#include "domusd/openapi.h"

#include <string.h>

#include "domusd/api/api.h"

void api_openapi_get(struct request *r)
{
	const char *text = openapi_text();
	struct error e;

	if (text) {
		request_reply_data(r, 200, "application/json", text, strlen(text));
		return;
	}
	error_set(&e, ERROR_NOT_FOUND, "domusd was started without --openapi.");
	request_fail(r, &e);
}
