#include "domusd/problem.h"

#include <stdio.h>

json_t *problem_json(const struct error *e, const char *instance, const char *request_id)
{
	const char *code = error_name(e->code);
	unsigned status = error_http_status(e->code);
	const char *detail =
		status == 500 ? "Something went wrong inside; the log tells more." : e->detail;
	char type[128];
	json_t *problem;

	snprintf(type, sizeof(type), "urn:domus:problem:%s", code);
	if (!*detail)
		detail = error_title(e->code);
	problem = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "type", type, "title",
			    error_title(e->code), "status", (int)status, "detail", detail,
			    "instance", instance, "code", code, "request_id", request_id);
	/* detail may quote the client, and a cut in the middle of a UTF-8 sequence is not valid: then do without. */
	if (!problem)
		problem = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "type", type, "title",
				    error_title(e->code), "status", (int)status, "detail",
				    error_title(e->code), "instance", instance, "code", code,
				    "request_id", request_id);
	if (problem && (e->pointer[0] || e->rule))
		json_object_set_new(
			problem, "errors",
			json_pack("[{s:s, s:s, s:s}]", "pointer", e->pointer, "code", error_rule(e),
				  "detail", json_string_value(json_object_get(problem, "detail"))));
	return problem;
}
