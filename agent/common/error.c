#include "common/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *title;
	unsigned status;
} codes[ERROR_CODE_COUNT] = {[ERROR_NONE] = {"none", "No error", 200},
#define X(code, name, status, title) [code] = {name, title, status},
			     ERROR_CODES(X)
#undef X
};

static int fill(struct error *e, enum error_code code, int errnum, const char *pointer,
		const char *format, va_list arguments)
{
	if (!e)
		return -1;
	memset(e, 0, sizeof(*e));
	e->code = code;
	e->errnum = errnum;
	snprintf(e->pointer, sizeof(e->pointer), "%s", pointer);
	vsnprintf(e->detail, sizeof(e->detail), format, arguments);
	return -1;
}

int(error_set)(struct error *e, enum error_code code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fill(e, code, 0, "", format, arguments);
	va_end(arguments);
	return -1;
}

int(error_set_at)(struct error *e, enum error_code code, const char *pointer, const char *format,
		  ...)
{
	va_list arguments;

	va_start(arguments, format);
	fill(e, code, 0, pointer, format, arguments);
	va_end(arguments);
	return -1;
}

int(error_set_rule)(struct error *e, const char *rule, const char *pointer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fill(e, ERROR_FIELD, 0, pointer, format, arguments);
	va_end(arguments);
	if (e)
		e->rule = rule;
	return -1;
}

int(error_set_errno)(struct error *e, enum error_code code, int errnum, const char *format, ...)
{
	va_list arguments;

	if (code == ERROR_INTERNAL && (errnum == ENOSPC || errnum == EDQUOT))
		code = ERROR_STORAGE;
	va_start(arguments, format);
	fill(e, code, errnum, "", format, arguments);
	va_end(arguments);
	return -1;
}

const char *error_rule(const struct error *e)
{
	if (e->rule)
		return e->rule;
	switch (e->code) {
	case ERROR_FIELD_UNKNOWN:
		return "unknown";
	case ERROR_FIELD_MISSING:
		return "required";
	case ERROR_REFERENCE:
		return "not_found";
	case ERROR_KERNEL_FORMAT:
		return "not_arm64_image";
	case ERROR_IN_USE:
	case ERROR_IMAGE_IN_USE:
	case ERROR_VOLUME_IN_USE:
		return "in_use";
	case ERROR_BODY_TOO_LARGE:
	case ERROR_UPLOAD_TOO_LARGE:
		return "too_large";
	case ERROR_FIELD:
		return "pattern";
	default:
		return "conflict";
	}
}

static enum error_code known(enum error_code code)
{
	return (unsigned)code < ERROR_CODE_COUNT ? code : ERROR_INTERNAL;
}

const char *error_name(enum error_code code)
{
	return codes[known(code)].name;
}

const char *error_title(enum error_code code)
{
	return codes[known(code)].title;
}

unsigned error_http_status(enum error_code code)
{
	return codes[known(code)].status;
}
