#include <string.h>

#include "domusd/api/api.h"
#include "domusd/auth_service.h"
#include "domusd/clock.h"
#include "domusd/domusd.h"
#include "domusd/pki.h"

void api_root_get(struct request *r)
{
	char time[CLOCK_TEXT_SIZE];

	request_reply_json(r, 200,
			   json_pack("{s:s, s:s, s:[s], s:[s, s, s, s, s], s:b, s:s}", "product",
				     "domus", "version", DOMUS_VERSION, "versions", "v1",
				     "features", "domains", "images", "volumes", "console",
				     "events", "claimed", auth_claimed(domusd.auth), "time",
				     clock_format(clock_wall_ms(), time)));
}

void api_ca_get(struct request *r)
{
	const char *pem = pki_ca_pem(domusd.pki);

	request_reply_data(r, 200, "application/x-pem-file", pem, strlen(pem));
}
