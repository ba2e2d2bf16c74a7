/* Frames from a hostile peer. */
#include <stdlib.h>
#include <string.h>

#include "domusd/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
	const uint8_t *data;
	size_t size;
};

static ssize_t take(void *user, void *data, size_t size)
{
	struct peer *peer = user;

	if (peer->size == 0)
		return -1;
	size = size < peer->size ? size : peer->size;
	memcpy(data, peer->data, size);
	peer->data += size;
	peer->size -= size;
	return (ssize_t)size;
}

static ssize_t give(void *user, const void *data, size_t size)
{
	(void)user;
	(void)data;
	return (ssize_t)size;
}

static void message(void *user, bool text, const void *data, size_t size)
{
	volatile unsigned char sum = 0;

	(void)user;
	(void)text;
	if (size > WEBSOCKET_MESSAGE_MAX)
		abort();
	for (size_t i = 0; i < size; i++)
		sum = (unsigned char)(sum + ((const unsigned char *)data)[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer peer = {data, size};
	struct websocket_io io = {take, give, message, &peer};
	struct websocket *ws = websocket_new(&io);

	while (ws && websocket_work(ws))
		;
	websocket_free(ws);
	return 0;
}
