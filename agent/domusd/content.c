#include "domusd/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domusd/blob.h"
#include "domusd/console_hub.h"
#include "domusd/domusd.h"
#include "domusd/lifecycle.h"
#include "domusd/metrics.h"
#include "domusd/power.h"
#include "domusd/ticker.h"

#define SETTLE_MS 3000

static int console_dir = -1;

static void metrics_write(void *context, struct metrics_text *text)
{
	STORE_TX struct store_tx *tx = NULL;
	int64_t counts[DOMAIN_STATE_COUNT];
	char labels[32];

	(void)context;
	if (store_begin_read(domusd.store, &tx, NULL) < 0 ||
	    store_domain_counts(tx, counts, NULL) < 0)
		return;
	metrics_head(text, "domus_domains", "gauge", "Defined domains by state.");
	for (int i = 0; i < DOMAIN_STATE_COUNT; i++) {
		snprintf(labels, sizeof(labels), "state=\"%s\"",
			 domain_state_name((enum domain_state)i));
		metrics_sample(text, "domus_domains", labels, (double)counts[i]);
	}
}

struct rail_sample {
	struct metrics_text *text;
	const char *name;
	bool live;
};

static bool rail_sample(void *context, const struct device_row *row)
{
	const struct rail_sample *s = context;
	bool wanted = strcmp(s->name, "domus_rail_wanted") == 0;
	enum verbs_power power = wanted ? device_wanted(row) : row->power;
	char labels[160];

	if (!s->live && !wanted)
		power = VERBS_POWER_UNKNOWN;
	if (wanted && power == VERBS_POWER_UNKNOWN)
		return true;
	snprintf(labels, sizeof(labels), "device=\"%s\",kind=\"%s\"", row->id,
		 verbs_kind_name(row->kind));
	/* -1: it cannot be said, or it does not do what it is told */
	metrics_sample(s->text, s->name, labels,
		       power == VERBS_POWER_ON	  ? 1
		       : power == VERBS_POWER_OFF ? 0
						  : -1);
	return true;
}

static void metrics_rails(void *context, struct metrics_text *text)
{
	static const char *const help[][2] = {
		{"domus_rail_on",
		 "Power of a device as read back: 1 on, 0 off, -1 fault or unknown."},
		{"domus_rail_wanted", "Whether the device should have power."}};

	(void)context;
	for (unsigned i = 0; i < 2; i++) {
		STORE_TX struct store_tx *tx = NULL;
		struct rail_sample sample = {text, help[i][0], power_live(domusd.power)};

		metrics_head(text, help[i][0], "gauge", help[i][1]);
		if (store_begin_read(domusd.store, &tx, NULL) == 0)
			store_device_list(tx, "", INT32_MAX, rail_sample, &sample, NULL);
	}
	metrics_head(text, "domus_rail_violations_total", "counter",
		     "Rails found on without an owner since domusd started.");
	metrics_sample(text, "domus_rail_violations_total", NULL,
		       (double)power_violations(domusd.power));
}

static int open_console_dir(struct error *e)
{
	if (mkdirat(domusd.state_fd, "console", 0750) < 0 && errno != EEXIST)
		return error_set_errno(e, ERROR_INTERNAL, errno,
				       "Cannot make the directory console.");
	console_dir =
		openat(domusd.state_fd, "console", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return console_dir >= 0 ? 0
				: error_set_errno(e, ERROR_INTERNAL, errno,
						  "Cannot open the directory console.");
}

int content_open(struct error *e)
{
	struct blob_services blob = {domusd.state_fd, domusd.store, domusd.journal,
				     domusd.operations};
	struct lifecycle_services lifecycle = {.store = domusd.store,
					       .journal = domusd.journal,
					       .operations = domusd.operations,
					       .keeper_socket = domusd.options.keeper};

	if (open_console_dir(e) < 0 || blob_open(&blob, &domusd.blob, e) < 0 ||
	    power_open(domusd.store, domusd.journal, &domusd.power, e) < 0)
		return -1;
	lifecycle.power = domusd.power;
	lifecycle.console_dir = console_dir;
	if (lifecycle_open(&lifecycle, &domusd.lifecycle, &domusd.console_hub, &domusd.keeper, e) <
	    0)
		return -1;
	ticker_add(domusd.ticker, 1, lifecycle_tick, domusd.lifecycle);
	ticker_add(domusd.ticker, 1, power_tick, domusd.power);
	ticker_add(domusd.ticker, 60, blob_tick, domusd.blob);
	metrics_add(metrics_write, NULL);
	metrics_add(metrics_rails, NULL);
	/* so that what we say first about domains is true, if keeper is there */
	lifecycle_wait(domusd.lifecycle, SETTLE_MS);
	if (lifecycle_settled(domusd.lifecycle))
		power_wait(domusd.power, SETTLE_MS);
	return 0;
}

void content_shut(void)
{
	if (domusd.console_hub)
		console_hub_shut(domusd.console_hub);
}

void content_close(void)
{
	lifecycle_close(domusd.lifecycle);
	power_close(domusd.power);
	blob_close(domusd.blob);
	domusd.lifecycle = NULL;
	domusd.power = NULL;
	domusd.console_hub = NULL;
	domusd.keeper = NULL;
	domusd.blob = NULL;
	if (console_dir >= 0)
		close(console_dir);
	console_dir = -1;
}
