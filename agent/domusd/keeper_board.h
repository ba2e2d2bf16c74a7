#ifndef DOMUS_DOMUSD_KEEPER_BOARD_H
#define DOMUS_DOMUSD_KEEPER_BOARD_H

#include "domusd/keeper_client.h"

/*
 * Asks BOARD_INFO. done() is called exactly once, from another thread or at once from this one:
 * with the board (borrowed) and e NULL, or board NULL and the error (ERROR_UNAVAILABLE with
 * retry_after when there is no connection, or after 5 seconds). keeper_client_close() calls every
 * done() that is due. client NULL: no connection.
 */
void keeper_client_board(struct keeper_client *client,
			 void (*done)(void *context, const struct verbs_board_response *board,
				      const struct error *e),
			 void *context);

#endif
