#ifndef DOMUS_DOMUSD_CLOCK_H
#define DOMUS_DOMUSD_CLOCK_H

#include <stdint.h>

/*
 * Two clocks. Wall time, in milliseconds since 1970 UTC, is what people and the database see; it
 * may jump. Monotonic time is what timeouts are measured with; it counts while the board sleeps
 * (CLOCK_BOOTTIME).
 */
#define CLOCK_TEXT_SIZE 32

int64_t clock_wall_ms(void);
int64_t clock_monotonic_ms(void);

/* RFC 3339 in UTC with milliseconds: "2026-11-23T00:04:29.125Z". Returns text. */
const char *clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);
/* IMF-fixdate (RFC 9110 section 5.6.7): "Mon, 23 Nov 2026 00:04:29 GMT". Returns text. */
const char *clock_format_http(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);

#endif
