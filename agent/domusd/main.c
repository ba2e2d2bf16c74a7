/*
 * domusd: the whole life of the program on one screen. Services start from the ground up and stop in the reverse order,
 * except that HTTP stops first, when everything that it may call is still there.
 */
#include "domusd/domusd.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domusd/auth_service.h"
#include "domusd/banner.h"
#include "domusd/clock.h"
#include "domusd/content.h"
#include "domusd/events.h"
#include "domusd/http_server.h"
#include "domusd/journal.h"
#include "domusd/metrics.h"
#include "domusd/notify.h"
#include "domusd/openapi.h"
#include "domusd/operation.h"
#include "domusd/operation_wait.h"
#include "domusd/options.h"
#include "domusd/pki.h"
#include "domusd/process_metrics.h"
#include "domusd/routes.h"
#include "domusd/ticker.h"

#define GRACE_MS 3000 /* for answers that are on their way when we are told to stop */

static int open_state(struct error *e)
{
	FILE *f;

	domusd.state_fd = open(domusd.options.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (domusd.state_fd < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "The state directory %s: %s.",
				       domusd.options.state, strerror(errno));
	f = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (!f || !fgets(domusd.boot_id, sizeof(domusd.boot_id), f))
		strcpy(domusd.boot_id, "unknown");
	domusd.boot_id[strcspn(domusd.boot_id, "\n")] = '\0';
	if (f)
		fclose(f);
	return 0;
}

static int open_store(struct error *e)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/domus.db", domusd.options.state);
	return store_open(path, &domusd.store, e);
}

static int start_http(struct error *e)
{
	struct http_options options = {
		.listen = domusd.options.listen,
		.webui = domusd.options.webui,
		.tls12 = domusd.options.tls12,
		.certificate_pem = pki_leaf_pem(domusd.pki),
		.key_pem = pki_leaf_key(domusd.pki),
		.routes = routes,
		.route_count = routes_count,
		.store = domusd.store,
		.auth = domusd.auth,
		.ready = &domusd.ready,
	};

	return http_start(&options, &domusd.http, e);
}

static int record_start(struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct event event = {
		.type = "system.started", .actor = &actor_system, .privilege = PRIVILEGE_READ};

	if (store_begin(domusd.store, &tx, e) < 0 ||
	    journal_append(domusd.journal, tx, &event, e) < 0)
		return -1;
	return store_commit(&tx, e);
}

static void tick_certificate(void *context)
{
	struct error e;
	int renewed = pki_renew(domusd.pki, &e);

	(void)context;
	if (renewed > 0)
		renewed = http_certificate_set(domusd.http, pki_leaf_pem(domusd.pki),
					       pki_leaf_key(domusd.pki), &e);
	if (renewed < 0)
		fprintf(stderr, "domusd: server certificate: %s\n", e.detail);
}

static void tick_watchdog(void *context)
{
	(void)context;
	notify_send("WATCHDOG=1");
}

static int start_ticker(struct error *e)
{
	int64_t watchdog_ms = notify_watchdog_ms();

	if (ticker_start(&domusd.ticker, e) < 0)
		return -1;
	ticker_add(domusd.ticker, 1, operation_tick, domusd.operations);
	ticker_add(domusd.ticker, 5, events_tick, domusd.events);
	ticker_add(domusd.ticker, 5, http_tick, domusd.http);
	ticker_add(domusd.ticker, 60, auth_tick, domusd.auth);
	ticker_add(domusd.ticker, 60, journal_trim, domusd.journal);
	ticker_add(domusd.ticker, 600, http_idempotency_tick, domusd.http);
	ticker_add(domusd.ticker, 3600, tick_certificate, NULL);
	/* From the ticker, so that it barks when the ticker or the database hangs. */
	if (watchdog_ms)
		ticker_add(domusd.ticker, watchdog_ms < 1000 ? 1 : (unsigned)(watchdog_ms / 1000),
			   tick_watchdog, NULL);
	return 0;
}

static int start(struct error *e)
{
	if (open_state(e) < 0 || open_store(e) < 0 ||
	    journal_open(domusd.store, &domusd.journal, e) < 0 ||
	    operation_open(domusd.store, domusd.journal, &domusd.operations, e) < 0 ||
	    operation_interrupt_all(domusd.operations, e) < 0 ||
	    pki_open(domusd.state_fd, &domusd.pki, e) < 0 ||
	    auth_open(domusd.store, domusd.journal, domusd.state_fd, &domusd.auth, e) < 0 ||
	    events_open(domusd.journal, domusd.auth, &domusd.events, e) < 0 ||
	    (domusd.options.openapi && openapi_load(domusd.options.openapi, e) < 0) ||
	    record_start(e) < 0 || start_http(e) < 0 || start_ticker(e) < 0)
		return -1;
	process_metrics_register();
	if (content_open(e) < 0)
		return -1;
	atomic_store(&domusd.ready, true);
	return 0;
}

static void stop(void)
{
	atomic_store(&domusd.ready, false);
	ticker_stop(domusd.ticker);
	if (domusd.operations)
		operation_waiters_release(domusd.operations);
	content_shut();
	http_stop(domusd.http, GRACE_MS);
	content_close();
	auth_close(domusd.auth);
	http_free(domusd.http);
	events_close(domusd.events);
	metrics_clear();
	openapi_free();
	operation_close(domusd.operations);
	journal_close(domusd.journal);
	pki_close(domusd.pki);
	store_close(domusd.store);
	if (domusd.state_fd >= 0)
		close(domusd.state_fd);
}

static int announce(struct error *e)
{
	char code[AUTH_CODE_SIZE];
	bool unclaimed = auth_claim_code(domusd.auth, code);

	if (domusd.options.banner &&
	    banner_write(domusd.options.banner, http_port(domusd.http),
			 pki_ca_fingerprint(domusd.pki), unclaimed ? code : NULL, e) < 0)
		return -1;
	fprintf(stderr, "domusd: ready on port %u\n", http_port(domusd.http));
	notify_send("READY=1");
	return 0;
}

static void wait_for_signal(const sigset_t *signals)
{
	int number;

	while (sigwait(signals, &number) == EINTR)
		;
	fprintf(stderr, "domusd: %s: stopping\n", strsignal(number));
	notify_send("STOPPING=1");
}

static int run(void)
{
	sigset_t signals;
	struct error e = {0};
	int result;

	/* Blocked before the first thread starts, so every thread inherits it and only sigwait() takes them. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Argon2id takes 19 MiB for a moment: as a mapping of its own it goes back at once. Few arenas: few threads are busy. */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	mallopt(M_ARENA_MAX, 2);
	umask(0077);
	domusd.started_monotonic_ms = clock_monotonic_ms();
	result = start(&e);
	if (result == 0)
		result = announce(&e);
	if (result == 0)
		wait_for_signal(&signals);
	else
		fprintf(stderr, "domusd: %s\n", e.detail);
	stop();
	return result < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	switch (options_parse(argc, argv, &domusd.options)) {
	case OPTIONS_RUN:
		return run();
	case OPTIONS_PRINT_ROUTES:
		routes_print();
		return 0;
	case OPTIONS_VERSION:
		puts("domusd " DOMUS_VERSION);
		return 0;
	case OPTIONS_HELP:
		options_usage();
		return 0;
	default:
		return 2;
	}
}
