/*
 * The record: who holds which rail, which ones the policy keeps on, and what was seen in a slot before it was switched
 * off. It lies in memory (/run), so it dies with the power of the board, as all of this does. One line each:
 *   rail ID KEPT UUID NAME       UUID in hexadecimal, "- -" when nobody holds it
 *   content ID KIND VENDOR PRODUCT CLASS NAME
 * Replaced as a whole by rename(2), so a keeper that is killed leaves the old one or the new one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper/rails_internal.h"

#define LINE_MAX_LENGTH 256

static void uuid_print(char text[33], const uint8_t uuid[16])
{
	for (int i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", uuid[i]);
}

static bool uuid_parse(const char *text, uint8_t uuid[16])
{
	for (int i = 0; i < 16; i++) {
		unsigned byte;

		if (strspn(text, "0123456789abcdef") < 2 || sscanf(text, "%2x", &byte) != 1)
			return false;
		uuid[i] = (uint8_t)byte;
		text += 2;
	}
	return *text == '\0';
}

static void rail_print(FILE *f, const struct verbs_device *d)
{
	char uuid[33] = "-";
	unsigned count =
		d->content_count < VERBS_CONTENT_MAX ? d->content_count : VERBS_CONTENT_MAX;

	if (d->holder.name[0])
		uuid_print(uuid, d->holder.uuid);
	fprintf(f, "rail %s %u %s %s\n", d->id, d->kept, uuid,
		d->holder.name[0] ? d->holder.name : "-");
	for (unsigned i = 0; d->contents_known && i < count; i++) {
		const struct verbs_content *c = &d->contents[i];

		fprintf(f, "content %s %u %x %x %x %s\n", d->id, c->kind, c->vendor, c->product,
			c->class, c->name);
	}
}

void record_write(const struct rails *r)
{
	char path[256];
	FILE *f;
	bool done;

	if (!r->record)
		return;
	snprintf(path, sizeof(path), "%.250s.new", r->record);
	f = fopen(path, "we");
	for (unsigned i = 0; f && i < r->count; i++) {
		const struct verbs_device *d = &r->list[i]->device;

		if (d->gate != VERBS_GATE_NONE && d->gate != VERBS_GATE_HYPERVISOR)
			rail_print(f, d);
	}
	done = f && !ferror(f);
	if (f)
		done = fclose(f) == 0 && done;
	if (!done || rename(path, r->record) < 0)
		fprintf(stderr, "keeper: the record %s cannot be written: %s\n", r->record,
			strerror(errno));
}

static bool rail_parse(const char *line, struct verbs_device *out)
{
	char uuid[34], name[VERBS_NAME_MAX + 2];
	unsigned kept;
	int end = 0;

	if (sscanf(line, "rail %63s %u %33s %41s%n", out->id, &kept, uuid, name, &end) != 4 ||
	    line[end] || kept > 1 || !verbs_device_valid(out->id))
		return false;
	out->kept = (uint16_t)kept;
	if (strcmp(uuid, "-") == 0)
		return true;
	if (!verbs_name_valid(name) || !uuid_parse(uuid, out->holder.uuid))
		return false;
	memcpy(out->holder.name, name, sizeof(out->holder.name));
	return true;
}

static bool content_parse(const char *line, struct verbs_device *out)
{
	struct verbs_content *c = &out->contents[0];
	unsigned kind;
	int begin = 0;

	if (sscanf(line, "content %63s %u %x %x %x %n", out->id, &kind, &c->vendor, &c->product,
		   &c->class, &begin) != 5 ||
	    !begin || kind == 0 || kind >= VERBS_CONTENT_END || !verbs_device_valid(out->id))
		return false;
	c->kind = (uint16_t)kind;
	snprintf(c->name, sizeof(c->name), "%s", line + begin);
	for (char *s = c->name; *s; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	out->content_count = out->contents_known = 1;
	return true;
}

bool record_parse(const char *line, struct verbs_device *out)
{
	memset(out, 0, sizeof(*out));
	return line[0] == 'r' ? rail_parse(line, out) : content_parse(line, out);
}

/* One parsed line into its rail. */
static void entry_apply(struct rails *r, const struct verbs_device *entry)
{
	struct rail *rail = rail_find(r, entry->id);
	struct verbs_device *d = rail ? &rail->device : NULL;

	if (!rail || !rail_switchable(rail))
		return;
	if (!entry->contents_known) {
		d->kept = entry->kept;
		d->holder = entry->holder;
		rail->settled = d->holder.name[0] != '\0';
	} else if (d->power != VERBS_POWER_ON && d->content_count < VERBS_CONTENT_MAX) {
		d->contents[d->content_count++] = entry->contents[0];
		d->contents_known = 1;
	}
}

void record_read(struct rails *r)
{
	FILE *f = r->record ? fopen(r->record, "re") : NULL;
	char line[LINE_MAX_LENGTH];
	struct verbs_device entry;

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (record_parse(line, &entry))
			entry_apply(r, &entry);
	}
	if (f)
		fclose(f);
}
