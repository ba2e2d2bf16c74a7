#include "domusd/plan.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/checks.h"
#include "domusd/store_device.h"

#define COPY(to, from) snprintf((to), sizeof(to), "%s", (from))

/* ---- what is asked ---- */

static const struct check_field move_fields[] = {
	{.name = "device",
	 .type = CHECK_STRING,
	 .required = true,
	 .pattern = CHECK_DEVICE,
	 .rule = CHECK_DEVICE_RULE},
	{.name = "owner",
	 .type = CHECK_STRING,
	 .nullable = true,
	 .pattern = CHECK_NAME,
	 .rule = CHECK_NAME_RULE},
	{.type = CHECK_END},
};
static const struct check_field move_item = {.type = CHECK_OBJECT, .fields = move_fields};
static const struct check_field plan_fields[] = {
	{.name = "assignments",
	 .type = CHECK_ARRAY,
	 .required = true,
	 .min = 1,
	 .max = PLAN_ASKED_MAX,
	 .items = &move_item},
	{.type = CHECK_END},
};

int plan_parse(const json_t *body, struct plan_asked *asked, struct error *e)
{
	const json_t *item;
	char pointer[48];
	size_t i;

	memset(asked, 0, sizeof(*asked));
	if (check_object(body, plan_fields, "", e) < 0)
		return -1;
	json_array_foreach(json_object_get(body, "assignments"), i, item)
	{
		COPY(asked->list[i].device, check_get_string(item, "device", ""));
		COPY(asked->list[i].owner, check_get_string(item, "owner", ""));
		snprintf(pointer, sizeof(pointer), "/assignments/%zu/device", i);
		for (size_t k = 0; k < i; k++)
			if (strcmp(asked->list[i].device, asked->list[k].device) == 0)
				return error_set_rule(e, "duplicate", pointer, "%s is there twice",
						      asked->list[i].device);
		asked->count++;
	}
	return 0;
}

/* ---- what it would do ---- */

struct move {
	struct device_row row;
	char to[VERBS_NAME_MAX + 1];
	char why[256]; /* why it moves along, or "": it was asked for */
};

struct making {
	struct store_tx *tx;
	const struct plan_asked *asked;
	struct plan *plan;
	EVP_MD_CTX *digest;
	unsigned count;
	struct move *moves; /* PLAN_MOVES_MAX of them */
	const struct move *leader;
};

static void conflict(struct making *m, const char *device, const char *domain, const char *code,
		     const char *detail)
{
	json_array_append_new(m->plan->conflicts,
			      json_pack("{s:s?, s:s?, s:s, s:s}", "device", device, "domain",
					domain, "code", code, "detail", detail));
}

static struct move *move_find(struct making *m, const char *id)
{
	for (unsigned i = 0; i < m->count; i++)
		if (strcmp(m->moves[i].row.id, id) == 0)
			return &m->moves[i];
	return NULL;
}

static int asked_add(struct making *m, struct error *e)
{
	for (unsigned i = 0; i < m->asked->count; i++) {
		struct move *move = &m->moves[m->count++];
		struct domain_row other;
		char pointer[48];
		int found = store_device_find(m->tx, m->asked->list[i].device, &move->row, e);

		snprintf(pointer, sizeof(pointer), "/assignments/%u/device", i);
		if (found <= 0)
			return found < 0 ? -1
					 : error_set_at(e, ERROR_REFERENCE, pointer,
							"The board has no device %s.",
							m->asked->list[i].device);
		COPY(move->to, m->asked->list[i].owner);
		snprintf(pointer, sizeof(pointer), "/assignments/%u/owner", i);
		if (*move->to && store_domain_status(m->tx, move->to, &other, e) < 0)
			return e->code == ERROR_DOMAIN_UNKNOWN
				       ? error_set_at(e, ERROR_REFERENCE, pointer,
						      "There is no domain %s.", move->to)
				       : -1;
	}
	return 0;
}

static bool follow_one(void *context, const struct device_row *row)
{
	struct making *m = context;
	const struct move *leader = m->leader;
	struct move *move = move_find(m, row->id);
	json_t *about;
	char text[200];

	if (!row->present || strcmp(row->together, leader->row.together) != 0 || move == leader)
		return true;
	if (move) {
		snprintf(text, sizeof(text), "It moves together with %s, to one owner.",
			 leader->row.name);
		if (strcmp(move->to, leader->to) != 0)
			conflict(m, row->id, NULL, "device.group", text);
		return true;
	}
	if (m->count == PLAN_MOVES_MAX) {
		conflict(m, row->id, NULL, "device.group", "So many devices cannot move together.");
		return false;
	}
	move = &m->moves[m->count++];
	move->row = *row;
	COPY(move->to, leader->to);
	about = json_loads(row->about, 0, NULL);
	snprintf(move->why, sizeof(move->why), "It moves together with %s. %.80s", leader->row.name,
		 json_string_value(json_object_get(about, "group_reason"))
			 ? json_string_value(json_object_get(about, "group_reason"))
			 : "");
	json_decref(about);
	return true;
}

static void move_check(struct making *m, const struct move *move)
{
	const struct device_row *d = &move->row;
	char text[320];

	if (*d->needed) {
		snprintf(text, sizeof(text), "%s stays the appliance's: %s", d->name, d->needed);
		conflict(m, d->id, NULL, "device.needed", text);
	} else if (*move->to && !d->present) {
		snprintf(text, sizeof(text), "%s is not there any more.", d->name);
		conflict(m, d->id, NULL, "device.unknown", text);
	} else if (*move->to && !device_switchable(d)) {
		snprintf(text, sizeof(text), "Nothing switches %s: %s", d->name, d->note);
		conflict(m, d->id, NULL, "rail.unsupported", text);
	} else if (*move->to && d->power == VERBS_POWER_FAULT && strcmp(move->to, d->owner) != 0) {
		snprintf(text, sizeof(text), "%s does not do what it is told: %s", d->name,
			 d->error);
		conflict(m, d->id, NULL, "rail.fault", text);
	}
}

/* The domain's part in the plan; NULL and *e. */
static struct plan_domain *domain_of(struct making *m, const char *name, struct error *e)
{
	struct plan *plan = m->plan;
	struct plan_domain *domain;
	struct domain_row *row;

	for (unsigned i = 0; i < plan->domain_count; i++)
		if (strcmp(plan->domains[i]->before.name, name) == 0)
			return plan->domains[i];
	domain = plan->domain_count < PLAN_DOMAINS_MAX ? calloc(1, sizeof(*domain)) : NULL;
	row = domain ? calloc(1, sizeof(*row)) : NULL;
	if (!row) {
		free(domain);
		error_set(e, ERROR_INTERNAL, "Out of memory.");
		return NULL;
	}
	if (store_domain_get(m->tx, name, row, e) < 0) {
		free(row);
		free(domain);
		return NULL;
	}
	domain->before = domain->after = row->definition;
	domain->revision = row->revision;
	domain->state = domain_state_name(row->status.state);
	domain->lives = row->status.state != DOMAIN_STOPPED && row->status.state != DOMAIN_CRASHED;
	domain->gains = json_array();
	domain->loses = json_array();
	free(row);
	plan->domains[plan->domain_count++] = domain;
	return domain;
}

static void device_remove(struct definition *d, const char *id)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < d->device_count; i++)
		if (strcmp(d->devices[i], id) != 0)
			memmove(d->devices[kept++], d->devices[i], sizeof(d->devices[0]));
	d->device_count = kept;
}

static int lose(struct making *m, const struct move *move, struct error *e)
{
	const struct device_row *d = &move->row;
	struct plan_domain *domain = domain_of(m, d->owner, e);
	bool used = false;
	char text[200];

	if (!domain)
		return -1;
	device_remove(&domain->after, d->id);
	json_array_append_new(domain->loses, json_string(d->id));
	for (unsigned i = 0; i < domain->before.disk_count; i++)
		used |= strcmp(domain->before.disks[i].device, d->id) == 0;
	for (unsigned i = 0; i < domain->before.nic_count; i++)
		used |= strcmp(domain->before.nics[i].device, d->id) == 0;
	snprintf(text, sizeof(text),
		 "A disk or interface of %s is on it; change its definition first.", d->owner);
	if (used)
		conflict(m, d->id, d->owner, "device.in_use", text);
	if (domain->lives && strcmp(d->holder, d->owner) == 0)
		domain->must_stop = true;
	if (d->power == VERBS_POWER_ON && !d->always_on)
		json_array_append_new(m->plan->loses_power, json_string(d->id));
	return 0;
}

static int gain(struct making *m, const struct move *move, struct error *e)
{
	struct plan_domain *domain = domain_of(m, move->to, e);
	struct definition *d = domain ? &domain->after : NULL;

	if (!domain)
		return -1;
	json_array_append_new(domain->gains, json_string(move->row.id));
	if (d->device_count == DEFINITION_DEVICES_MAX)
		conflict(m, move->row.id, move->to, "device.group",
			 "A domain can own 16 devices, not more.");
	else
		COPY(d->devices[d->device_count], move->row.id), d->device_count++;
	return 0;
}

static void note(struct making *m, const char *text)
{
	EVP_DigestUpdate(m->digest, text, strlen(text) + 1);
}

static int move_take(struct making *m, const struct move *move, struct error *e)
{
	const struct device_row *d = &move->row;
	char text[200];

	/* all that the plan depends on goes into its fingerprint */
	snprintf(text, sizeof(text), "%lld %d %d %d", (long long)d->revision, d->present, d->gate,
		 d->power == VERBS_POWER_FAULT);
	note(m, d->id), note(m, move->to), note(m, text);
	note(m, d->needed), note(m, d->together), note(m, d->holder), note(m, d->owner);
	json_array_append_new(m->plan->moves,
			      json_pack("{s:s, s:s, s:s?, s:s?, s:b, s:s?}", "device", d->id,
					"name", d->name, "from", *d->owner ? d->owner : NULL, "to",
					*move->to ? move->to : NULL, "asked", !*move->why, "reason",
					*move->why ? move->why : NULL));
	move_check(m, move);
	if (strcmp(move->to, d->owner) == 0)
		return 0;
	if (*d->holder && strcmp(d->holder, d->owner) != 0) {
		snprintf(text, sizeof(text), "The domain %s still has it on.", d->holder);
		conflict(m, d->id, d->holder, "device.in_use", text);
	}
	if (*d->owner && lose(m, move, e) < 0)
		return -1;
	return *move->to ? gain(m, move, e) : 0;
}

static int make(struct making *m, struct error *e)
{
	struct plan *plan = m->plan;
	char text[120];

	if (asked_add(m, e) < 0)
		return -1;
	for (unsigned i = 0; i < m->asked->count; i++) {
		m->leader = &m->moves[i];
		if (*m->leader->row.together &&
		    store_device_list(m->tx, "", INT32_MAX, follow_one, m, e) < 0)
			return -1;
	}
	for (unsigned i = 0; i < m->count; i++)
		if (move_take(m, &m->moves[i], e) < 0)
			return -1;
	for (unsigned i = 0; i < plan->domain_count; i++) {
		const struct plan_domain *d = plan->domains[i];

		snprintf(text, sizeof(text), "%lld %d", (long long)d->revision, d->lives);
		note(m, d->before.name), note(m, text);
	}
	EVP_DigestFinal_ex(m->digest, plan->digest, NULL);
	return 0;
}

int plan_make(struct store_tx *tx, const struct plan_asked *asked, struct plan **out,
	      struct error *e)
{
	struct making m = {.tx = tx,
			   .asked = asked,
			   .plan = calloc(1, sizeof(struct plan)),
			   .digest = EVP_MD_CTX_new(),
			   .moves = calloc(PLAN_MOVES_MAX, sizeof(struct move))};
	int result = -1;

	if (m.plan && m.digest && m.moves && EVP_DigestInit_ex(m.digest, EVP_sha256(), NULL) == 1) {
		m.plan->moves = json_array();
		m.plan->loses_power = json_array();
		m.plan->conflicts = json_array();
		result = make(&m, e);
	} else {
		error_set(e, ERROR_INTERNAL, "Out of memory.");
	}
	EVP_MD_CTX_free(m.digest);
	free(m.moves);
	if (result < 0) {
		plan_free(m.plan);
		return -1;
	}
	*out = m.plan;
	return 0;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (unsigned i = 0; i < plan->domain_count; i++) {
		json_decref(plan->domains[i]->gains);
		json_decref(plan->domains[i]->loses);
		free(plan->domains[i]);
	}
	json_decref(plan->moves);
	json_decref(plan->loses_power);
	json_decref(plan->conflicts);
	free(plan);
}

bool plan_applicable(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->domain_count; i++)
		if (plan->domains[i]->must_stop)
			return false;
	return json_array_size(plan->conflicts) == 0;
}

static json_t *domain_json(const struct plan_domain *d)
{
	const char *note = d->must_stop ? "It runs with a device that it would lose: stop it first."
			   : d->lives	? "It takes this up at its next start."
					: NULL;

	return json_pack("{s:s, s:s, s:O, s:O, s:b, s:s?}", "name", d->before.name, "state",
			 d->state, "gains", d->gains, "loses", d->loses, "must_stop", d->must_stop,
			 "note", note);
}

json_t *plan_json(const struct plan *plan)
{
	json_t *domains = json_array();

	for (unsigned i = 0; i < plan->domain_count; i++)
		json_array_append_new(domains, domain_json(plan->domains[i]));
	return json_pack("{s:b, s:O, s:O, s:o, s:O}", "applicable", plan_applicable(plan), "moves",
			 plan->moves, "loses_power", plan->loses_power, "domains", domains,
			 "conflicts", plan->conflicts);
}
