/* /api/v1/domains/{name}/console: log, tickets, WebSocket. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domusd/api/api.h"
#include "domusd/clock.h"
#include "domusd/console_hub.h"
#include "domusd/console_ticket.h"
#include "domusd/domusd.h"
#include "domusd/store_domain.h"

static int find_domain(struct request *r, struct domain_row *row, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;

	if (store_begin_read(domusd.store, &tx, e) < 0)
		return -1;
	return store_domain_status(tx, request_param(r, "name"), row, e);
}

/* ---- log ---- */

static int open_log(const char *domain, int64_t *size)
{
	char path[96] = "console/";
	struct stat st;
	int fd;

	console_hub_log_name(domain, path + strlen(path));
	fd = openat(domusd.state_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	*size = fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
	return fd;
}

void api_console_log_get(struct request *r)
{
	static const char type[] = "text/plain; charset=utf-8";
	struct domain_row row;
	int64_t size, first, last;
	char text[96];
	struct error e;
	int fd, range;

	if (find_domain(r, &row, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	fd = open_log(row.id.name, &size);
	range = http_range_parse(request_header(r, "Range"), size, &first, &last, &e);
	if (range < 0) {
		snprintf(text, sizeof(text), "bytes */%lld", (long long)size);
		request_header_set(r, "Content-Range", text);
		request_fail(r, &e);
	} else if (range > 0) {
		snprintf(text, sizeof(text), "bytes %lld-%lld/%lld", (long long)first,
			 (long long)last, (long long)size);
		request_header_set(r, "Content-Range", text);
		request_reply_file(r, 206, type, fd, first, last - first + 1);
		return;
	} else {
		request_header_set(r, "Accept-Ranges", "bytes");
		if (fd >= 0 && size > 0) {
			request_reply_file(r, 200, type, fd, 0, size);
			return;
		}
		request_reply_data(r, 200, type, "", 0);
	}
	if (fd >= 0)
		close(fd);
}

/* ---- tickets ---- */

void api_console_tickets_post(struct request *r)
{
	char ticket[CONSOLE_TICKET_SIZE], expires_text[CLOCK_TEXT_SIZE];
	struct domain_row row;
	int64_t expires;
	struct error e;

	if (find_domain(r, &row, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	console_ticket_make(row.id.name, row.id.uuid, ticket, &expires);
	request_reply_json(r, 201,
			   json_pack("{s:s, s:s}", "ticket", ticket, "expires",
				     clock_format(expires, expires_text)));
}

/* ---- WebSocket ---- */

struct opening {
	char domain[41];
	uint8_t uuid[16];
	char ticket[CONSOLE_TICKET_SIZE];
};

static void viewer_closed(void *context)
{
	upgrade_close(context);
}

/* The ticket is used up here, after all checks of the handshake, so that a foreign page cannot spoil it. */
static void opened(void *context, struct upgrade *upgrade, int fd, const void *early, size_t size)
{
	struct opening *o = context;
	struct console_hub_viewer viewer = {fd, viewer_closed, upgrade};

	if (!console_ticket_use(o->domain, o->uuid, o->ticket) ||
	    !console_hub_view(domusd.console_hub, o->domain, &viewer, early, size))
		upgrade_close(upgrade);
	free(o);
}

static int check_opening(struct request *r, struct opening *o, struct error *e)
{
	const char *ticket = request_query(r, "ticket");
	struct domain_row row;

	if (!ticket || strlen(ticket) < 20 || strlen(ticket) > 64)
		return error_set(e, ERROR_PARAMETER,
				 "The parameter ticket is missing or malformed.");
	if (strlen(ticket) >= sizeof(o->ticket))
		return error_set(e, ERROR_CONSOLE_TICKET, "The ticket is not good.");
	if (find_domain(r, &row, e) < 0)
		return -1;
	if (!console_ticket_good(row.id.name, row.id.uuid, ticket))
		return error_set(e, ERROR_CONSOLE_TICKET,
				 "The ticket is wrong, used, or older than %d seconds.",
				 CONSOLE_TICKET_MS / 1000);
	if (!console_hub_has_room(domusd.console_hub)) {
		error_set(e, ERROR_UNAVAILABLE, "%d consoles are open already.",
			  CONSOLE_HUB_VIEWERS_MAX);
		e->retry_after = 10;
		return -1;
	}
	snprintf(o->domain, sizeof(o->domain), "%s", row.id.name);
	memcpy(o->uuid, row.id.uuid, sizeof(o->uuid));
	snprintf(o->ticket, sizeof(o->ticket), "%s", ticket);
	return 0;
}

void api_console_get(struct request *r)
{
	struct opening *o = malloc(sizeof(*o));
	struct error e;

	if (!o)
		error_set(&e, ERROR_INTERNAL, "Out of memory");
	if (!o || check_opening(r, o, &e) < 0) {
		free(o);
		request_fail(r, &e);
		return;
	}
	request_upgrade(r, opened, free, o);
}
