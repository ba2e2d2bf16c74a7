#ifndef DOMUS_DOMUSD_CHECKS_H
#define DOMUS_DOMUSD_CHECKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/*
 * Checks of JSON bodies, as data. A handler describes the fields of its object in a table and calls
 *check_object() once; after that every field has its type and range, and the readers below need no
 *further test. What is wrong is ERROR_FIELD* (422 validation.failed) with the JSON pointer (RFC
 *6901) of the field, the first one found.
 *
 *	static const struct check_field fields[] = {
 *		{.name = "name", .type = CHECK_STRING, .required = true, .max = 40, .pattern =
 *CHECK_NAME},
 *		{.name = "vcpus", .type = CHECK_INTEGER, .min = 1, .max = 32},
 *		{.name = "boot", .type = CHECK_OBJECT, .required = true, .fields = boot_fields},
 *		{.name = "nics", .type = CHECK_ARRAY, .max = 8, .items = &nic_item},
 *		{0}};
 */
enum check_type {
	CHECK_END,
	CHECK_STRING,
	CHECK_INTEGER,
	CHECK_BOOLEAN,
	CHECK_OBJECT,
	CHECK_ARRAY,
	CHECK_ANY
};

struct check_field {
	const char *name; /* of the member; not used for items */
	enum check_type type;
	bool required;
	bool nullable; /* null is as good as absent */
	bool unique;   /* array: no two equal items */
	/* string: length in code points; integer: value; array: number of items. Both 0: any (an
	 * integer: any; a string without max still ends at the body's limit). */
	int64_t min, max;
	const char *pattern; /* string: POSIX extended regular expression of the whole string, or
				NULL */
	const char *rule; /* string: what the pattern wants, for people: "lower-case letters …"; or
			     NULL */
	const char *const *one_of; /* string: NULL-terminated list of what it may be, or NULL */
	const struct check_field *fields; /* object: its members up to one of type CHECK_END */
	const struct check_field *items;  /* array: what each item is */
};

/* Patterns of openapi.yaml, with the words for people in CHECK_..._RULE. */
#define CHECK_NAME	"[a-z0-9][a-z0-9-]{0,39}"
#define CHECK_NAME_RULE "1 to 40 lower-case letters, digits and '-', not beginning with '-'"
#define CHECK_ID	"[a-z0-9-]{1,40}"
#define CHECK_ID_RULE	"an id: 1 to 40 of a-z, 0-9 and '-'"
#define CHECK_DEVICE	"[a-z0-9][a-z0-9.+-]{0,62}"
#define CHECK_DEVICE_RULE                                                                          \
	"a device's id: 1 to 63 of a-z, 0-9 and '.+-', beginning with a letter or digit"
#define CHECK_LABEL "[A-Za-z0-9][A-Za-z0-9 ._+~()-]{0,127}"
#define CHECK_LABEL_RULE                                                                           \
	"1 to 128 letters, digits, spaces and ._+~()-, beginning with a letter or digit"
#define CHECK_USERNAME	    "[a-z][a-z0-9._-]{0,31}"
#define CHECK_USERNAME_RULE "1 to 32 lower-case letters, digits and ._-, beginning with a letter"

/*
 * Checks that `value` is an object of these fields and no other. `pointer` is where it stands, ""
 * for a whole body. A value of NULL (no body) is an empty object. 0 or -1 with *e.
 */
int check_object(const json_t *value, const struct check_field *fields, const char *pointer,
		 struct error *e);
/* A single string from a path, query or header by the same rules: ERROR_FIELD at `pointer`. */
int check_string(const char *value, const struct check_field *field, const char *pointer,
		 struct error *e);
/* Whether the whole of text matches the extended regular expression. */
bool check_matches(const char *text, const char *pattern);

/* Readers for an object that was checked; `otherwise` when the member is absent or null. Strings
 * are borrowed. */
const char *check_get_string(const json_t *object, const char *name, const char *otherwise);
int64_t check_get_integer(const json_t *object, const char *name, int64_t otherwise);
bool check_get_boolean(const json_t *object, const char *name, bool otherwise);

/* Whole decimal numbers from headers and queries: digits only, no sign, no more than max. 0 or -1
 * (and *out is untouched). */
int check_decimal(const char *text, int64_t max, int64_t *out);

#endif
