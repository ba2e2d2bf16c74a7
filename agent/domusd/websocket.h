#ifndef DOMUSD_WEBSOCKET_H
#define DOMUSD_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The server's end of a WebSocket (RFC 6455) over wslay after the handshake (http.h), without I/O of its own. The owner passes bytes in and out through callbacks, so a test needs no socket. Not locked.
 */
#define WEBSOCKET_MESSAGE_MAX ((size_t)16 * 1024) /* longer messages end the connection with 1009 */
#define WEBSOCKET_QUEUE_MAX   32 /* answers (pongs, notices) waiting for a peer that does not read */

enum websocket_close {
	WEBSOCKET_NORMAL = 1000,
	WEBSOCKET_GOING_AWAY = 1001,
	WEBSOCKET_POLICY = 1008,
};

struct websocket_io {
	/* Both: bytes moved, 0 for "not now", -1 for "never again". */
	ssize_t (*receive)(void *user, void *data, size_t size);
	ssize_t (*send)(void *user, const void *data, size_t size);
	/* A whole message; data is good during the call only. */
	void (*message)(void *user, bool text, const void *data, size_t size);
	void *user;
};

struct websocket;

/* NULL without memory. */
struct websocket *websocket_new(const struct websocket_io *io);
void websocket_free(struct websocket *ws);
/* Receives and sends what can be moved now. false: the connection has ended, free it. */
bool websocket_work(struct websocket *ws);
/* Queue a message or a ping; data is copied. false: the peer does not read, or there is no memory: cut it. */
bool websocket_send(struct websocket *ws, bool text, const void *data, size_t size);
bool websocket_ping(struct websocket *ws);
/* Asks for the end: nothing is received any more, the close frame goes out as the last. */
void websocket_close(struct websocket *ws, enum websocket_close code, const char *reason);
/* It has ended with a close frame of ours that the peer has not answered. */
bool websocket_ended_by_us(const struct websocket *ws);
/* Is something queued that the peer has not taken yet? */
bool websocket_wants_send(struct websocket *ws);

#endif
