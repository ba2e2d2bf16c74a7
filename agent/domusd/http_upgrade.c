#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "domusd/http_internal.h"
#include "domusd/http_text.h"

#define WEBSOCKET_MAGIC "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 section 1.3 */

struct upgrade {
	struct http *http;
	struct MHD_UpgradeResponseHandle *handle;
	int peer; /* our own descriptor of the TCP connection; -1 without one */
	void (*opened)(void *context, struct upgrade *upgrade, int fd, const void *early,
		       size_t size);
	void *context;
};

static void on_upgrade(void *closure, struct MHD_Connection *connection, void *request_context,
		       const char *extra, size_t extra_size, MHD_socket fd,
		       struct MHD_UpgradeResponseHandle *handle)
{
	struct upgrade *u = closure;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	(void)request_context;
	u->handle = handle;
	u->peer = info ? fcntl(info->connect_fd, F_DUPFD_CLOEXEC, 0) : -1;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	u->opened(u->context, u, fd, extra, extra_size);
}

static bool accept_key(const char *key, char accept[32])
{
	unsigned char digest[SHA_DIGEST_LENGTH], nonce[24];
	char text[64];

	/* 16 bytes in base64: 24 characters, the last two of them padding. */
	if (!key || strlen(key) != 24 || strcmp(key + 22, "==") ||
	    EVP_DecodeBlock(nonce, (const unsigned char *)key, 24) != 18)
		return false;
	snprintf(text, sizeof(text), "%s" WEBSOCKET_MAGIC, key);
	SHA1((const unsigned char *)text, strlen(text), digest);
	EVP_EncodeBlock((unsigned char *)accept, digest, sizeof(digest));
	return true;
}

static int check(struct request *r, char accept[32], struct error *e)
{
	const char *origin = request_header(r, "Origin");
	const char *version = request_header(r, "Sec-WebSocket-Version");

	if (!http_list_has(request_header(r, "Upgrade"), "websocket") ||
	    !http_list_has(request_header(r, "Connection"), "upgrade"))
		return error_set(e, ERROR_UPGRADE, "This is a WebSocket: ask for an upgrade.");
	if (origin && !http_origin_matches(origin, request_header(r, "Host")))
		return error_set(e, ERROR_AUTH_ORIGIN, "This page is not the appliance's own.");
	if (!version || strcmp(version, "13")) {
		request_header_set(r, "Sec-WebSocket-Version", "13");
		return error_set(e, ERROR_UPGRADE, "Only version 13 of WebSocket is spoken here.");
	}
	if (!accept_key(request_header(r, "Sec-WebSocket-Key"), accept))
		return error_set(e, ERROR_HEADER, "Sec-WebSocket-Key is not 16 bytes in base64.");
	return 0;
}

void request_upgrade(struct request *r,
		     void (*opened)(void *context, struct upgrade *upgrade, int fd,
				    const void *early, size_t early_size),
		     void (*refused)(void *context), void *context)
{
	struct MHD_Response *response = NULL;
	struct upgrade *u;
	char accept[32];
	struct error e;

	if (check(r, accept, &e) < 0) {
		refused(context);
		if (e.code == ERROR_UPGRADE)
			request_header_set(r, "Upgrade", "websocket");
		request_fail(r, &e);
		return;
	}
	u = malloc(sizeof(*u));
	if (u)
		response = MHD_create_response_for_upgrade(on_upgrade, u);
	if (!response) {
		free(u);
		refused(context);
		request_answer(r, 500, NULL);
		return;
	}
	*u = (struct upgrade){r->http, NULL, -1, opened, context};
	atomic_fetch_add(&r->http->upgrade_count, 1);
	MHD_add_response_header(response, "Upgrade", "websocket");
	MHD_add_response_header(response, "Sec-WebSocket-Accept", accept);
	MHD_add_response_header(response, "X-Request-Id", r->id);
	request_answer(r, 101, response);
}

/* libmicrohttpd shuts its end of the socket pair down before it notes that we are done with it. If its thread forwards what is
 * left in between, it waits for the peer's next byte, however long that takes: so the connection of one who stays silent is
 * never closed. The end of the peer's direction wakes it, and does nothing to what is on the way to the peer. */
void upgrade_close(struct upgrade *u)
{
	atomic_fetch_sub(&u->http->upgrade_count, 1);
	MHD_upgrade_action(u->handle, MHD_UPGRADE_ACTION_CLOSE);
	if (u->peer >= 0) {
		shutdown(u->peer, SHUT_RD);
		close(u->peer);
	}
	free(u);
}
