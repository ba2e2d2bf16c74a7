#include "domusd/process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "domusd/clock.h"
#include "domusd/domusd.h"
#include "domusd/journal.h"
#include "domusd/keeper_client.h"
#include "domusd/metrics.h"
#include "domusd/operation_read.h"

static long resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long total, resident = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%ld %ld", &total, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = -3; /* ".", ".." and the one of this listing */

	if (!dir)
		return 0;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void write_process(struct metrics_text *text)
{
	metrics_head(text, "domus_build_info", "gauge", "Version of the software");
	metrics_sample(text, "domus_build_info", "version=\"" DOMUS_VERSION "\"", 1);
	metrics_head(text, "process_resident_memory_bytes", "gauge", "Resident memory");
	metrics_sample(text, "process_resident_memory_bytes", NULL, (double)resident_bytes());
	metrics_head(text, "process_open_fds", "gauge", "Open descriptors");
	metrics_sample(text, "process_open_fds", NULL, open_descriptors());
	metrics_head(text, "domus_uptime_seconds", "gauge", "Since domusd started");
	metrics_sample(text, "domus_uptime_seconds", NULL,
		       (double)(clock_monotonic_ms() - domusd.started_monotonic_ms) / 1000);
}

static void write_services(struct metrics_text *text)
{
	int64_t counts[OPERATION_INTERRUPTED + 1];
	char labels[48];

	metrics_head(text, "domus_events_sequence", "counter",
		     "Sequence number of the newest event");
	metrics_sample(text, "domus_events_sequence", NULL, (double)journal_newest(domusd.journal));
	operation_counts(domusd.operations, counts);
	metrics_head(text, "domus_operations", "gauge", "Operations that are kept, by state");
	for (int i = 0; i <= OPERATION_INTERRUPTED; i++) {
		snprintf(labels, sizeof(labels), "state=\"%s\"",
			 operation_state_name((enum operation_state)i));
		metrics_sample(text, "domus_operations", labels, (double)counts[i]);
	}
	metrics_head(text, "domus_keeper_connected", "gauge", "Whether the keeper answers");
	metrics_sample(text, "domus_keeper_connected", NULL,
		       keeper_client_connected(domusd.keeper));
}

static void write_metrics(void *context, struct metrics_text *text)
{
	(void)context;
	write_process(text);
	write_services(text);
}

void process_metrics_register(void)
{
	metrics_add(write_metrics, NULL);
}
