#include "domusd/websocket.h"

#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

struct websocket {
	wslay_event_context_ptr context;
	struct websocket_io io;
	bool overrun; /* queued more answers than the peer takes */
};

static ssize_t on_receive(wslay_event_context_ptr context, uint8_t *data, size_t size, int flags,
			  void *user)
{
	struct websocket *ws = user;
	ssize_t got = ws->io.receive(ws->io.user, data, size);

	(void)flags;
	if (got > 0)
		return got;
	wslay_event_set_error(context,
			      got == 0 ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static ssize_t on_send(wslay_event_context_ptr context, const uint8_t *data, size_t size, int flags,
		       void *user)
{
	struct websocket *ws = user;
	ssize_t put = ws->io.send(ws->io.user, data, size);

	(void)flags;
	if (put > 0)
		return put;
	wslay_event_set_error(context,
			      put == 0 ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static void on_message(wslay_event_context_ptr context,
		       const struct wslay_event_on_msg_recv_arg *message, void *user)
{
	struct websocket *ws = user;

	if (wslay_event_get_queued_msg_count(context) > WEBSOCKET_QUEUE_MAX)
		ws->overrun = true; /* a flood of pings from a peer that reads no pong */
	else if (!wslay_is_ctrl_frame(message->opcode))
		ws->io.message(ws->io.user, message->opcode == WSLAY_TEXT_FRAME, message->msg,
			       message->msg_length);
}

struct websocket *websocket_new(const struct websocket_io *io)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_receive,
		.send_callback = on_send,
		.on_msg_recv_callback = on_message,
	};
	struct websocket *ws = calloc(1, sizeof(*ws));

	if (!ws)
		return NULL;
	ws->io = *io;
	if (wslay_event_context_server_init(&ws->context, &callbacks, ws) != 0) {
		free(ws);
		return NULL;
	}
	wslay_event_config_set_max_recv_msg_length(ws->context, WEBSOCKET_MESSAGE_MAX);
	return ws;
}

void websocket_free(struct websocket *ws)
{
	if (!ws)
		return;
	wslay_event_context_free(ws->context);
	free(ws);
}

bool websocket_work(struct websocket *ws)
{
	bool good = !wslay_event_want_read(ws->context) || wslay_event_recv(ws->context) == 0;

	/* also after a failure: a close frame may say why */
	if (wslay_event_want_write(ws->context) && wslay_event_send(ws->context) != 0)
		return false;
	return good && !ws->overrun &&
	       (wslay_event_want_read(ws->context) || wslay_event_want_write(ws->context));
}

static bool queue(struct websocket *ws, uint8_t opcode, const void *data, size_t size)
{
	struct wslay_event_msg message = {.opcode = opcode, .msg = data, .msg_length = size};

	return wslay_event_get_queued_msg_count(ws->context) < WEBSOCKET_QUEUE_MAX &&
	       wslay_event_queue_msg(ws->context, &message) == 0;
}

bool websocket_send(struct websocket *ws, bool text, const void *data, size_t size)
{
	return queue(ws, text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, data, size);
}

bool websocket_ping(struct websocket *ws)
{
	return queue(ws, WSLAY_PING, NULL, 0);
}

void websocket_close(struct websocket *ws, enum websocket_close code, const char *reason)
{
	wslay_event_shutdown_read(ws->context);
	wslay_event_queue_close(ws->context, (uint16_t)code, (const uint8_t *)reason,
				strlen(reason));
}

bool websocket_ended_by_us(const struct websocket *ws)
{
	return wslay_event_get_close_sent(ws->context) &&
	       !wslay_event_get_close_received(ws->context);
}

bool websocket_wants_send(struct websocket *ws)
{
	return wslay_event_want_write(ws->context) != 0;
}
