/* printf for the hypervisor's own lines: a pure formatter, and log_line() which hands finished lines to the sink. */
#include "lib/print.h"
#include "arch/cpu.h"
#include "lib/string.h"

void (*print_sink)(enum log_level level, const char *line, size_t length);

struct out {
	char *to;
	size_t size, length;
};

static void out_char(struct out *o, char c)
{
	if (o->length + 1 < o->size)
		o->to[o->length] = c;
	o->length++;
}

static void out_field(struct out *o, const char *text, size_t n, unsigned width, bool left, char pad)
{
	for (size_t i = n; !left && i < width; i++)
		out_char(o, pad);
	for (size_t i = 0; i < n; i++)
		out_char(o, text[i]);
	for (size_t i = n; left && i < width; i++)
		out_char(o, ' ');
}

static size_t number(char *to, uint64_t v, unsigned base, bool upper)
{
	char digits[24];
	size_t n = 0;

	do
		digits[n++] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[v % base];
	while ((v /= base) != 0);
	for (size_t i = 0; i < n; i++)
		to[i] = digits[n - 1 - i];
	return n;
}

int print_format_v(char *to, size_t size, const char *f, va_list args)
{
	struct out o = {to, size, 0};

	for (; *f != '\0'; f++) {
		char text[26], pad = ' ';
		unsigned width = 0, base = 10;
		size_t n = 0, precision = SIZE_MAX;
		bool left = false, wide = false;
		const char *s;
		uint64_t v;

		if (*f != '%') {
			out_char(&o, *f);
			continue;
		}
		for (f++; *f == '-' || *f == '0'; f++) {
			left |= *f == '-';
			pad = *f == '0' ? '0' : pad;
		}
		for (; *f >= '0' && *f <= '9'; f++)
			width = width * 10 + (unsigned)(*f - '0');
		if (f[0] == '.' && f[1] == '*') {
			precision = (size_t)va_arg(args, int);
			f += 2;
		}
		for (; *f == 'l' || *f == 'z'; f++)
			wide = true;
		switch (*f) {
		case 'c':
			text[0] = (char)va_arg(args, int);
			out_field(&o, text, 1, width, left, ' ');
			break;
		case 's':
			s = va_arg(args, const char *);
			s = s != NULL ? s : "(none)";
			out_field(&o, s, strnlen(s, precision), width, left, ' ');
			break;
		case 'd':
		case 'i': {
			int64_t d = wide ? va_arg(args, int64_t) : va_arg(args, int);

			if (d < 0)
				text[n++] = '-';
			n += number(text + n, d < 0 ? -(uint64_t)d : (uint64_t)d, 10, false);
			out_field(&o, text, n, width, left, pad);
			break;
		}
		case 'p':
			wide = true;
			text[n++] = '0';
			text[n++] = 'x';
			__attribute__((fallthrough));
		case 'x':
		case 'X':
			base = 16;
			__attribute__((fallthrough));
		case 'u':
			v = wide ? va_arg(args, uint64_t) : va_arg(args, unsigned);
			n += number(text + n, v, base, *f == 'X');
			out_field(&o, text, n, width, left, pad);
			break;
		case '%':
			out_char(&o, '%');
			break;
		default: /* not ours: show it, so that somebody sees it */
			out_char(&o, '%');
			if (*f == '\0')
				f--;
			else
				out_char(&o, *f);
		}
	}
	if (size > 0)
		to[o.length < size ? o.length : size - 1] = '\0';
	return (int)o.length;
}

int print_format(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = print_format_v(to, size, format, args);
	va_end(args);
	return n;
}

static void line_out(enum log_level level, const char *format, va_list args)
{
	char line[256] = "[domus] ";
	int n = print_format_v(line + 8, sizeof(line) - 9, format, args) + 8;

	n = n < (int)sizeof(line) - 1 ? n : (int)sizeof(line) - 2;
	line[n++] = '\n';
	if (print_sink != NULL)
		print_sink(level, line, (size_t)n);
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line_out(level, format, args);
	va_end(args);
}

static void stop(void)
{
	log_error("the hypervisor stops here");
	machine_stop();
}

void (*panic_end)(void) = stop;

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line_out(LOG_ERROR, format, args);
	va_end(args);
	panic_end();
	__builtin_trap();
}
