#ifndef DOMUS_DOMUSD_CONSOLE_TICKET_H
#define DOMUS_DOMUSD_CONSOLE_TICKET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Tickets that open a console once within 30 seconds: a browser's WebSocket can send no header, so
 * what it may do stands in the address. Kept in memory as SHA-256 only. Any thread.
 */
#define CONSOLE_TICKET_MS   30000
#define CONSOLE_TICKET_SIZE 44

/* Makes one for a domain (by name and uuid); *expires is wall-clock ms. The oldest gives way when
 * there are too many. */
void console_ticket_make(const char *domain, const uint8_t uuid[16],
			 char ticket[CONSOLE_TICKET_SIZE], int64_t *expires);
/* Whether it is good for this domain, without using it up: for checks before the upgrade. */
bool console_ticket_good(const char *domain, const uint8_t uuid[16], const char *ticket);
/* Uses it up. true once. */
bool console_ticket_use(const char *domain, const uint8_t uuid[16], const char *ticket);

#endif
