/* Formatting, and the hypervisor's log. %s %c %d %i %u %x %X %p %ld %lu %lx %zu, width, zero padding, '-' and ".*s"; no floats. */
#ifndef LIB_PRINT_H
#define LIB_PRINT_H
#include "lib/types.h"
#include <stdarg.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* As snprintf: returns the length that was wanted, writes at most size - 1 characters and NUL. */
int print_format(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int print_format_v(char *to, size_t size, const char *format, va_list args);

/* One line for the console and its ring ("(XEN) " is not ours: "[domus] "). The newline is added here. Lines above the
 * level of loglvl= go into the ring only. Any context; takes the console lock (the innermost of all). Not for hot paths. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...)	 log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_DEBUG, __VA_ARGS__)

/* Where log_line() sends a finished line; core/console sets it. */
extern void (*print_sink)(enum log_level level, const char *line, size_t length);

/* Prints one clear line and ends: at boot the machine stops for good, so that the line stays; once guests run (boot/init.c) it is a
 * fault of the hypervisor, with a backtrace and a reset. */
extern void (*panic_end)(void);
void panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* An invariant of ours that does not hold. Never for what a guest said. */
#define ASSERT(x)                                                                                                      \
	do {                                                                                                           \
		if (unlikely(!(x)))                                                                                    \
			panic("%s:%d: %s does not hold", __FILE__, __LINE__, #x);                                     \
	} while (0)

#endif
