#include "domusd/keeper_ask.h"

#include <stdlib.h>

void ask_list_init(struct ask_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

void ask_list_append(struct ask_list *list, struct ask *ask)
{
	ask->next = NULL;
	*list->last = ask;
	list->last = &ask->next;
}

struct ask *ask_list_remove(struct ask_list *list, struct ask **link)
{
	struct ask *ask = *link;

	*link = ask->next;
	if (!ask->next)
		list->last = link;
	return ask;
}

void ask_fail(struct ask *ask, const char *why)
{
	struct error e;

	error_set(&e, ERROR_UNAVAILABLE, "%s", why);
	e.retry_after = KEEPER_RETRY_AFTER_S;
	ask->done(ask->context, NULL, -1, &e);
	free(ask);
}

void ask_list_fail(struct ask_list *list, const char *why)
{
	while (list->first)
		ask_fail(ask_list_remove(list, &list->first), why);
}
