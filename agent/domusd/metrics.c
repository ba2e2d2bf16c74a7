#include "domusd/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WRITERS_MAX 16

struct metrics_text {
	FILE *file;
};

/* Filled at start-up by one thread, before the first scrape. */
static struct {
	void (*run)(void *context, struct metrics_text *text);
	void *context;
} writers[WRITERS_MAX];
static int writer_count;

void metrics_add(void (*run)(void *context, struct metrics_text *text), void *context)
{
	if (writer_count == WRITERS_MAX)
		abort();
	writers[writer_count].run = run;
	writers[writer_count++].context = context;
}

void metrics_clear(void)
{
	writer_count = 0;
}

void metrics_head(struct metrics_text *text, const char *name, const char *kind, const char *help)
{
	fprintf(text->file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

void metrics_sample(struct metrics_text *text, const char *name, const char *labels, double value)
{
	fprintf(text->file, "%s%s%s%s ", name, labels ? "{" : "", labels ? labels : "",
		labels ? "}" : "");
	if (value == (double)(int64_t)value)
		fprintf(text->file, "%" PRId64 "\n", (int64_t)value);
	else
		fprintf(text->file, "%.6f\n", value);
}

char *metrics_collect(size_t *size)
{
	char *data = NULL;
	struct metrics_text text = {open_memstream(&data, size)};

	if (!text.file)
		return NULL;
	for (int i = 0; i < writer_count; i++)
		writers[i].run(writers[i].context, &text);
	if (fclose(text.file)) {
		free(data);
		return NULL;
	}
	return data;
}
