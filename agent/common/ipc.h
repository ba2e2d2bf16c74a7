#ifndef DOMUS_COMMON_IPC_H
#define DOMUS_COMMON_IPC_H

/*
 * Packets over a Unix SOCK_SEQPACKET socket: one message is one packet (unix(7)), with at most one
 * descriptor beside it (SCM_RIGHTS, cmsg(3)). Knows nothing of what the packets mean: see verbs.h.
 * No locks: a descriptor may be sent to from one thread and received from in another.
 */
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/error.h"

/*
 * A listening socket at path (non-blocking, close-on-exec), in place of a stale one. mode is set on
 * the file, gid too unless it is (gid_t)-1, before anybody can connect. Returns the descriptor,
 * which the caller closes, or -1.
 */
int ipc_listen(const char *path, mode_t mode, gid_t gid, struct error *e);
/* A connected socket (blocking, close-on-exec), or -1: ERROR_UNAVAILABLE when nobody listens there.
 */
int ipc_connect(const char *path, struct error *e);
/* The next client of a listening socket (non-blocking, close-on-exec) and who it is; -1 with errno
 * (EAGAIN: none). */
int ipc_accept(int listener, struct ucred *peer);

/*
 * Sends one packet, with the descriptor fd unless it is -1 (the caller keeps and closes its own).
 * Never raises SIGPIPE. 1: sent. 0: it would block (non-blocking sockets only). -1: failed,
 * ERROR_UNAVAILABLE when the peer is gone.
 */
int ipc_send(int sock, const void *message, size_t length, int fd, struct error *e);

/*
 * Receives one packet into buffer. *fd is the descriptor that came with it (close-on-exec, the
 * caller closes it) or -1; more than one is refused and closed. > 0: its length. 0: the peer
 * closed. -1: failed; *e is ERROR_NONE when the socket is non-blocking and nothing is there,
 * ERROR_REQUEST_MALFORMED when the packet was longer than size.
 */
ssize_t ipc_receive(int sock, void *buffer, size_t size, int *fd, struct error *e);

#endif
