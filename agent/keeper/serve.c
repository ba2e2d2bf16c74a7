#include "keeper/serve.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/ipc.h"

#define CLIENTS_MAX 32
#define QUEUE_MAX   1024 /* packets that one client does not read */

struct client {
	struct client *next;
	uint64_t id;
	int sock;
	unsigned inflight;  /* requests not answered yet */
	bool hello, events; /* said HELLO; asked for events */
	bool gone;	    /* to be freed at the end of this round */
	bool blocked;	    /* its socket is full: waits for EPOLLOUT */
	struct packet_queue out;
};

struct serve {
	int listener, epoll, wake;
	uid_t uid;
	uint64_t started_ns, last_id;
	struct client *clients; /* only the loop's thread */
	unsigned client_count;
	struct jobs *jobs;
	pthread_mutex_t lock;	    /* of outbox */
	struct packet_queue outbox; /* from workers and the machine, in order */
};

/* epoll data: 0 the listener, 1 the wake-up, 2 the signal, a client's id (from 16) otherwise. */
enum { TAG_LISTENER, TAG_WAKE, TAG_SIGNAL, TAG_CLIENT = 16 };

static int watch(struct serve *s, int operation, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event ev = {.events = events, .data.u64 = tag};

	return epoll_ctl(s->epoll, operation, fd, &ev);
}

struct serve *serve_new(int listener, uid_t uid, struct error *e)
{
	struct serve *s = calloc(1, sizeof(*s));
	struct timespec t;

	if (!s) {
		close(listener);
		error_set(e, ERROR_INTERNAL, "Out of memory.");
		return NULL;
	}
	clock_gettime(CLOCK_REALTIME, &t);
	s->started_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	s->listener = listener;
	s->uid = uid;
	s->last_id = TAG_CLIENT;
	packet_queue_init(&s->outbox);
	pthread_mutex_init(&s->lock, NULL);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->epoll >= 0 && s->wake >= 0 &&
	    watch(s, EPOLL_CTL_ADD, listener, EPOLLIN, TAG_LISTENER) == 0 &&
	    watch(s, EPOLL_CTL_ADD, s->wake, EPOLLIN, TAG_WAKE) == 0)
		return s;
	error_set_errno(e, ERROR_INTERNAL, errno, "Cannot watch the keeper's socket.");
	serve_free(s);
	return NULL;
}

static void client_free(struct client *c)
{
	packet_queue_clear(&c->out);
	close(c->sock);
	free(c);
}

void serve_free(struct serve *s)
{
	while (s->clients) {
		struct client *c = s->clients;

		s->clients = c->next;
		client_free(c);
	}
	packet_queue_clear(&s->outbox);
	pthread_mutex_destroy(&s->lock);
	close(s->listener);
	if (s->epoll >= 0)
		close(s->epoll);
	if (s->wake >= 0)
		close(s->wake);
	free(s);
}

void serve_deliver(void *context, struct packet *p)
{
	struct serve *s = context;
	uint64_t one = 1;

	pthread_mutex_lock(&s->lock);
	packet_queue_put(&s->outbox, p);
	pthread_mutex_unlock(&s->lock);
	/* fails only when the counter is full, and then the loop is awake already */
	if (write(s->wake, &one, sizeof(one)) < 0)
		return;
}

void serve_event(void *context, const struct verbs_event *event)
{
	struct packet *p = packet_new(0);

	p->message.event = *event;
	serve_deliver(context, p);
}

void serve_device_event(void *context, const struct verbs_device_event *event)
{
	struct packet *p = packet_new(0);

	p->message.device_event = *event;
	serve_deliver(context, p);
}

static bool is_event(const struct verbs_header *h)
{
	return h->verb == VERB_EVENT_DOMAIN || h->verb == VERB_EVENT_DEVICE;
}

static void client_drop(struct serve *s, struct client *c, const char *why)
{
	if (c->gone)
		return;
	if (why)
		fprintf(stderr, "keeper: a client was disconnected: %s\n", why);
	c->gone = true;
	jobs_forget(s->jobs, c->id);
}

/* Sends what the client is owed until its socket is full. */
static void client_flush(struct serve *s, struct client *c)
{
	struct packet *p;

	while (!c->gone && (p = c->out.first)) {
		int sent = ipc_send(c->sock, &p->message, p->message.header.length, p->fd, NULL);

		if (sent == 0)
			break;
		if (sent < 0) {
			client_drop(s, c, NULL);
			return;
		}
		if (!is_event(&p->message.header))
			c->inflight--;
		packet_free(packet_queue_take(&c->out));
	}
	if (c->gone || c->blocked == (c->out.first != NULL))
		return;
	c->blocked = c->out.first != NULL;
	watch(s, EPOLL_CTL_MOD, c->sock, c->blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, c->id);
}

static void client_send(struct serve *s, struct client *c, struct packet *p)
{
	if (c->gone || c->out.count >= QUEUE_MAX) {
		packet_free(p);
		client_drop(s, c, "it does not read what it is sent");
		return;
	}
	packet_queue_put(&c->out, p);
	if (!c->blocked)
		client_flush(s, c);
}

static void client_refuse(struct serve *s, struct client *c, const struct verbs_header *h,
			  const struct error *e)
{
	struct packet *p = packet_new(c->id);

	verbs_fail(&p->message.failure, h->verb, h->id, e);
	client_send(s, c, p);
}

static void client_hello(struct serve *s, struct client *c, const struct verbs_hello_request *r)
{
	struct packet *p;
	struct error e = {0};

	if (strcmp(r->version, DOMUS_VERSION) != 0) {
		error_set(&e, ERROR_STATE, "The keeper is version %s and its client is version %s.",
			  DOMUS_VERSION, r->version);
		client_refuse(s, c, &r->header, &e);
		return;
	}
	c->hello = true;
	c->events = r->events;
	p = packet_new(c->id);
	verbs_start(&p->message, sizeof(p->message.hello_response), VERB_HELLO, r->header.id);
	snprintf(p->message.hello_response.version, sizeof(p->message.hello_response.version), "%s",
		 DOMUS_VERSION);
	p->message.hello_response.started_ns = s->started_ns;
	client_send(s, c, p);
}

static void client_request(struct serve *s, struct client *c, const union verbs_message *m,
			   size_t length)
{
	struct error e = {0};

	if (length < sizeof(m->header) || m->header.magic != VERBS_MAGIC) {
		client_drop(s, c, "it does not speak this keeper's protocol");
		return;
	}
	c->inflight++;
	if (verbs_check_request(m, length, &e) < 0) {
		client_refuse(s, c, &m->header, &e);
	} else if (m->header.verb == VERB_HELLO) {
		client_hello(s, c, &m->hello_request);
	} else if (!c->hello) {
		error_set(&e, ERROR_REQUEST_MALFORMED, "The keeper's client did not say hello.");
		client_refuse(s, c, &m->header, &e);
	} else if (c->inflight > VERBS_INFLIGHT_MAX) {
		error_set(&e, ERROR_UNAVAILABLE, "Too many requests wait for the keeper.");
		e.retry_after = 1;
		client_refuse(s, c, &m->header, &e);
	} else if (jobs_submit(s->jobs, c->id, m, &e) < 0) {
		client_refuse(s, c, &m->header, &e);
	}
}

/* One packet a round, so that no client keeps the others waiting. */
static void client_receive(struct serve *s, struct client *c)
{
	union verbs_message m;
	struct error e = {0};
	int fd;
	ssize_t length = ipc_receive(c->sock, &m, sizeof(m), &fd, &e);

	if (fd >= 0) {
		close(fd);
		client_drop(s, c, "it sent a descriptor");
	} else if (length > 0) {
		client_request(s, c, &m, (size_t)length);
	} else if (length == 0 || e.code != ERROR_NONE) {
		client_drop(s, c, length == 0 ? NULL : e.detail);
	}
}

static void serve_accept(struct serve *s)
{
	struct ucred peer;
	struct client *c;
	int sock = ipc_accept(s->listener, &peer);

	if (sock < 0)
		return;
	if ((peer.uid != 0 && peer.uid != s->uid) || s->client_count >= CLIENTS_MAX) {
		fprintf(stderr, "keeper: refused a connection from user %u (process %d)\n",
			(unsigned)peer.uid, (int)peer.pid);
		close(sock);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c || watch(s, EPOLL_CTL_ADD, sock, EPOLLIN, s->last_id + 1) < 0) {
		free(c);
		close(sock);
		return;
	}
	c->id = ++s->last_id;
	c->sock = sock;
	packet_queue_init(&c->out);
	c->next = s->clients;
	s->clients = c;
	s->client_count++;
}

/* An event goes to everybody who wants events, an answer to its client if that is still there. */
static void packet_route(struct serve *s, struct packet *p)
{
	for (struct client *c = s->clients; c; c = c->next) {
		if (c->gone)
			continue;
		if (p->client == c->id) {
			client_send(s, c, p);
			return;
		}
		if (p->client == 0 && c->events) {
			struct packet *copy = packet_new(0);

			memcpy(&copy->message, &p->message, p->message.header.length);
			client_send(s, c, copy);
		}
	}
	packet_free(p);
}

static void serve_route(struct serve *s)
{
	uint64_t count;

	if (read(s->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	for (;;) {
		struct packet *p;

		pthread_mutex_lock(&s->lock);
		p = packet_queue_take(&s->outbox);
		pthread_mutex_unlock(&s->lock);
		if (!p)
			return;
		packet_route(s, p);
	}
}

static void serve_reap(struct serve *s)
{
	for (struct client **at = &s->clients; *at;) {
		struct client *c = *at;

		if (!c->gone) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		s->client_count--;
		client_free(c); /* closing its socket takes it out of epoll */
	}
}

static void client_ready(struct serve *s, uint64_t id, uint32_t events)
{
	for (struct client *c = s->clients; c; c = c->next) {
		if (c->id != id || c->gone)
			continue;
		if (events & EPOLLOUT)
			client_flush(s, c);
		if (!c->gone && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
			client_receive(s, c);
	}
}

int serve_run(struct serve *s, struct jobs *jobs, int signal_fd, struct error *e)
{
	s->jobs = jobs;
	if (watch(s, EPOLL_CTL_ADD, signal_fd, EPOLLIN, TAG_SIGNAL) < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot wait for signals.");
	for (;;) {
		struct epoll_event ready[32];
		int count = epoll_wait(s->epoll, ready, 32, -1);

		if (count < 0 && errno != EINTR)
			return error_set_errno(e, ERROR_INTERNAL, errno,
					       "Cannot wait for clients.");
		for (int i = 0; i < count; i++) {
			switch (ready[i].data.u64) {
			case TAG_LISTENER:
				serve_accept(s);
				break;
			case TAG_WAKE:
				serve_route(s);
				break;
			case TAG_SIGNAL:
				return 0;
			default:
				client_ready(s, ready[i].data.u64, ready[i].events);
			}
		}
		serve_reap(s);
	}
}

void serve_flush(struct serve *s)
{
	serve_route(s);
}
