#include "domusd/checks.h"

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

struct place {
	char text[sizeof(((struct error *)NULL)->pointer)];
};

/* Appends a reference token, escaped as RFC 6901 section 3 says. What does not fit is left out. */
static struct place step(const char *base, const char *token)
{
	struct place p;
	size_t n = (size_t)snprintf(p.text, sizeof(p.text), "%.100s/", base);

	for (; *token && n + 3 < sizeof(p.text); token++) {
		if (*token == '~' || *token == '/') {
			p.text[n++] = '~';
			p.text[n++] = *token == '~' ? '0' : '1';
		} else {
			p.text[n++] = *token;
		}
	}
	/* A sequence of UTF-8 that was cut is not valid: drop its beginning. */
	if (*token)
		while (n && (p.text[n - 1] & 0x80))
			n--;
	p.text[n] = '\0';
	return p;
}

static size_t code_points(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

bool check_matches(const char *text, const char *pattern)
{
	char anchored[512];
	regex_t regex;
	bool matches;

	snprintf(anchored, sizeof(anchored), "^(%s)$", pattern);
	if (regcomp(&regex, anchored, REG_EXTENDED | REG_NOSUB))
		return false;
	matches = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return matches;
}

static int check_one_of(const char *text, const char *const *one_of, const char *pointer,
			struct error *e)
{
	char list[200] = "";
	size_t n = 0;

	for (; *one_of; one_of++) {
		if (!strcmp(text, *one_of))
			return 0;
		if (n < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
					      *one_of);
	}
	return error_set_rule(e, "enum", pointer, "Must be one of %s.", list);
}

int check_string(const char *text, const struct check_field *f, const char *pointer,
		 struct error *e)
{
	size_t n = code_points(text);

	if (f->one_of)
		return check_one_of(text, f->one_of, pointer, e);
	if (f->max && (int64_t)n > f->max)
		return error_set_rule(e, "length", pointer,
				      "Is too long: %zu characters, at most %" PRId64 ".", n,
				      f->max);
	if ((int64_t)n < f->min)
		return error_set_rule(e, "length", pointer,
				      "Is too short: at least %" PRId64 " characters.", f->min);
	if (f->pattern && !check_matches(text, f->pattern))
		return error_set_rule(e, "pattern", pointer, "Must be %s.",
				      f->rule ? f->rule : "of another form");
	return 0;
}

static int check_value(const json_t *value, const struct check_field *f, const char *pointer,
		       struct error *e);

static int check_array(const json_t *value, const struct check_field *f, const char *pointer,
		       struct error *e)
{
	size_t n = json_array_size(value);

	if (f->max && (int64_t)n > f->max)
		return error_set_rule(e, "length", pointer, "Has %zu items, at most %" PRId64 ".",
				      n, f->max);
	if ((int64_t)n < f->min)
		return error_set_rule(e, "length", pointer, "Needs at least %" PRId64 " items.",
				      f->min);
	for (size_t i = 0; i < n; i++) {
		char index[24];
		struct place p;

		snprintf(index, sizeof(index), "%zu", i);
		p = step(pointer, index);
		if (f->items && check_value(json_array_get(value, i), f->items, p.text, e) < 0)
			return -1;
		for (size_t k = 0; f->unique && k < i; k++)
			if (json_equal(json_array_get(value, i), json_array_get(value, k)))
				return error_set_rule(e, "duplicate", p.text,
						      "Stands there twice.");
	}
	return 0;
}

static int check_integer(const json_t *value, const struct check_field *f, const char *pointer,
			 struct error *e)
{
	int64_t n = json_integer_value(value);

	if ((f->min || f->max) && (n < f->min || n > f->max))
		return error_set_rule(e, "range", pointer,
				      "Must be from %" PRId64 " to %" PRId64 ".", f->min, f->max);
	return 0;
}

static int check_value(const json_t *value, const struct check_field *f, const char *pointer,
		       struct error *e)
{
	static const char *const words[] = {[CHECK_STRING] = "a string",
					    [CHECK_INTEGER] = "an integer",
					    [CHECK_BOOLEAN] = "true or false",
					    [CHECK_OBJECT] = "an object",
					    [CHECK_ARRAY] = "an array"};

	if (f->nullable && json_is_null(value))
		return 0;
	switch (f->type) {
	case CHECK_STRING:
		if (json_is_string(value))
			return check_string(json_string_value(value), f, pointer, e);
		break;
	case CHECK_INTEGER:
		if (json_is_integer(value))
			return check_integer(value, f, pointer, e);
		break;
	case CHECK_BOOLEAN:
		if (json_is_boolean(value))
			return 0;
		break;
	case CHECK_OBJECT:
		if (json_is_object(value))
			return check_object(value, f->fields, pointer, e);
		break;
	case CHECK_ARRAY:
		if (json_is_array(value))
			return check_array(value, f, pointer, e);
		break;
	default:
		return 0;
	}
	return error_set_rule(e, "type", pointer, "Must be %s.", words[f->type]);
}

int check_object(const json_t *value, const struct check_field *fields, const char *pointer,
		 struct error *e)
{
	const struct check_field *f;
	const char *key;
	json_t *member;

	if (value && !json_is_object(value))
		return error_set_rule(e, "type", pointer, "Must be an object.");
	json_object_foreach((json_t *)value, key, member)
	{
		struct place p = step(pointer, key);

		for (f = fields; f && f->type != CHECK_END && strcmp(f->name, key); f++)
			;
		if (!f || f->type == CHECK_END)
			return error_set_at(e, ERROR_FIELD_UNKNOWN, p.text,
					    "There is no such field.");
		if (check_value(member, f, p.text, e) < 0)
			return -1;
	}
	for (f = fields; f && f->type != CHECK_END; f++)
		if (f->required && !json_object_get(value, f->name))
			return error_set_at(e, ERROR_FIELD_MISSING, step(pointer, f->name).text,
					    "The field \"%s\" is missing.", f->name);
	return 0;
}

const char *check_get_string(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : otherwise;
}

int64_t check_get_integer(const json_t *object, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool check_get_boolean(const json_t *object, const char *name, bool otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

int check_decimal(const char *text, int64_t max, int64_t *out)
{
	int64_t n = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || n > (max - (*text - '0')) / 10)
			return -1;
		n = n * 10 + (*text - '0');
	}
	*out = n;
	return 0;
}
