#include "common/ipc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

static int address_make(struct sockaddr_un *a, const char *path, struct error *e)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(a->sun_path))
		return error_set(e, ERROR_INTERNAL, "The socket's path %s is too long.", path);
	memcpy(a->sun_path, path, strlen(path));
	return 0;
}

/* The file appears under its name with mode and owner already set: bind elsewhere, then rename. */
static int bind_at(int sock, const char *path, mode_t mode, gid_t gid, struct error *e)
{
	struct sockaddr_un a;
	char hidden[sizeof(a.sun_path) + 8];

	if (snprintf(hidden, sizeof(hidden), "%s.new", path) < 0 || address_make(&a, hidden, e) < 0)
		return -1;
	unlink(hidden);
	if (bind(sock, (struct sockaddr *)&a, sizeof(a)) < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot make the socket %s.",
				       path);
	if (chmod(hidden, mode) < 0 || (gid != (gid_t)-1 && chown(hidden, (uid_t)-1, gid) < 0) ||
	    listen(sock, BACKLOG) < 0 || rename(hidden, path) < 0) {
		error_set_errno(e, ERROR_INTERNAL, errno, "Cannot make the socket %s.", path);
		unlink(hidden);
		return -1;
	}
	return 0;
}

int ipc_listen(const char *path, mode_t mode, gid_t gid, struct error *e)
{
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot make a socket.");
	if (bind_at(sock, path, mode, gid, e) < 0) {
		close(sock);
		return -1;
	}
	return sock;
}

int ipc_connect(const char *path, struct error *e)
{
	struct sockaddr_un a;
	int sock;

	if (address_make(&a, path, e) < 0)
		return -1;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot make a socket.");
	if (connect(sock, (struct sockaddr *)&a, sizeof(a)) < 0) {
		error_set_errno(e, ERROR_UNAVAILABLE, errno, "The keeper does not answer at %s.",
				path);
		close(sock);
		return -1;
	}
	return sock;
}

int ipc_accept(int listener, struct ucred *peer)
{
	socklen_t size = sizeof(*peer);
	/* cppcheck-suppress nullPointer ; its model of accept4() lacks what accept(2) allows: no address asked for */
	int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (sock < 0)
		return -1;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, peer, &size) < 0) {
		int saved = errno;

		close(sock);
		errno = saved;
		return -1;
	}
	return sock;
}

/* cmsg(3) wants the buffer aligned as a header; room for one descriptor */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int ipc_send(int sock, const void *message, size_t length, int fd, struct error *e)
{
	struct iovec part = {.iov_base = (void *)message, .iov_len = length};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	union control control = {0};
	ssize_t sent;

	if (fd >= 0) {
		struct cmsghdr *c;

		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do {
		sent = sendmsg(sock, &m, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 1;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	return error_set_errno(e, ERROR_UNAVAILABLE, errno,
			       "The connection to the keeper was lost.");
}

/* The descriptor that came with a received packet, or -1. */
static int descriptor_take(struct msghdr *m)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		    c->cmsg_len < CMSG_LEN(sizeof(int)))
			continue;
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	}
	return fd;
}

ssize_t ipc_receive(int sock, void *buffer, size_t size, int *fd, struct error *e)
{
	struct iovec part = {.iov_base = buffer, .iov_len = size};
	union control control = {0};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   /* not CMSG_SPACE: its padding has room for a second descriptor */
			   .msg_controllen = CMSG_LEN(sizeof(int))};
	ssize_t got;

	*fd = -1;
	if (e)
		e->code = ERROR_NONE;
	do {
		got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return -1;
		if (errno == ECONNRESET)
			return 0;
		return error_set_errno(e, ERROR_UNAVAILABLE, errno,
				       "The connection to the keeper was lost.");
	}
	*fd = descriptor_take(&m);
	if (!(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return got;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return error_set(e, ERROR_REQUEST_MALFORMED,
			 "A message between domusd and keeper is too long or carries too much.");
}
