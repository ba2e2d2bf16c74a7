#include "domusd/auth_use.h"

#include <string.h>

void auth_use_init(struct auth_uses *uses)
{
	pthread_mutex_init(&uses->mutex, NULL);
	uses->count = 0;
}

void auth_use_destroy(struct auth_uses *uses)
{
	pthread_mutex_destroy(&uses->mutex);
}

int64_t auth_use_last(struct auth_uses *uses, const char *id, int64_t used)
{
	pthread_mutex_lock(&uses->mutex);
	for (int i = 0; i < uses->count; i++)
		if (!strcmp(uses->list[i].id, id) && uses->list[i].used > used)
			used = uses->list[i].used;
	pthread_mutex_unlock(&uses->mutex);
	return used;
}

void auth_use_note(struct auth_uses *uses, bool session, const char *id, int64_t now)
{
	int i = 0;

	pthread_mutex_lock(&uses->mutex);
	while (i < uses->count && strcmp(uses->list[i].id, id))
		i++;
	if (i == uses->count && i < AUTH_USES_MAX) {
		uses->count++;
		uses->list[i].session = session;
		memcpy(uses->list[i].id, id, ID_SIZE);
	}
	if (i < AUTH_USES_MAX)
		uses->list[i].used = now;
	pthread_mutex_unlock(&uses->mutex);
}

int auth_use_copy(struct auth_uses *uses, struct auth_use copy[AUTH_USES_MAX])
{
	int count;

	pthread_mutex_lock(&uses->mutex);
	count = uses->count;
	memcpy(copy, uses->list, sizeof(copy[0]) * (size_t)count);
	pthread_mutex_unlock(&uses->mutex);
	return count;
}

void auth_use_forget(struct auth_uses *uses, const struct auth_use *written, int count)
{
	pthread_mutex_lock(&uses->mutex);
	for (int i = 0; i < uses->count; i++)
		if (i < count && uses->list[i].used == written[i].used)
			uses->list[i].used = 0;
	for (int i = 0; i < uses->count;)
		if (uses->list[i].used)
			i++;
		else
			uses->list[i] = uses->list[--uses->count];
	pthread_mutex_unlock(&uses->mutex);
}
