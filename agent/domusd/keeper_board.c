#include "domusd/keeper_board.h"

#include <stdlib.h>

#define TIMEOUT_MS 5000

struct board_ask {
	void (*done)(void *context, const struct verbs_board_response *board,
		     const struct error *e);
	void *context;
};

static void board_done(void *context, const union verbs_message *answer, int fd,
		       const struct error *e)
{
	struct board_ask *ask = context;

	(void)fd;
	ask->done(ask->context, answer ? &answer->board_response : NULL, e);
	free(ask);
}

void keeper_client_board(struct keeper_client *client,
			 void (*done)(void *context, const struct verbs_board_response *board,
				      const struct error *e),
			 void *context)
{
	struct verbs_empty request;
	struct board_ask *ask = malloc(sizeof(*ask));
	struct error e;

	verbs_start(&request, sizeof(request), VERB_BOARD_INFO, 0);
	if (ask) {
		*ask = (struct board_ask){done, context};
		if (client &&
		    keeper_client_ask(client, &request, TIMEOUT_MS, board_done, ask, &e) == 0)
			return;
		free(ask);
	}
	error_set(&e, ERROR_UNAVAILABLE, "The keeper cannot be asked now");
	e.retry_after = KEEPER_RETRY_AFTER_S;
	done(context, NULL, &e);
}
