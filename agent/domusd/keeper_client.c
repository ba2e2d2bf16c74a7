#include "domusd/keeper_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ipc.h"
#include "domusd/clock.h"
#include "domusd/keeper_ask.h"

#define BACKOFF_MIN_MS	 100
#define BACKOFF_MAX_MS	 5000
#define HELLO_TIMEOUT_MS 5000

struct keeper_client {
	pthread_t thread;
	char *path;
	struct keeper_client_owner owner;
	atomic_bool connected;
	int wake_fd;
	pthread_mutex_t lock;  /* asked, ending */
	struct ask_list asked; /* not yet seen by the thread */
	bool ending;
	/* the thread's own: */
	int sock;
	uint64_t next_id;
	unsigned backoff_ms;
	struct ask_list waiting; /* not yet sent */
	struct ask_list sent;	 /* not yet answered */
	unsigned sent_count;
	bool blocked; /* the socket took no more */
	union verbs_message *inbox;
};

/* ---- any thread ---- */

static void wake(struct keeper_client *client)
{
	uint64_t one = 1;

	while (write(client->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

int keeper_client_ask(struct keeper_client *client, const void *message, unsigned timeout_ms,
		      keeper_client_done done, void *context, struct error *e)
{
	const struct verbs_header *header = message;
	struct ask *ask = calloc(1, sizeof(*ask) + header->length);

	if (!ask)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	memcpy(ask->message, message, header->length);
	ask->done = done;
	ask->context = context;
	ask->deadline_ms = clock_monotonic_ms() + timeout_ms;
	pthread_mutex_lock(&client->lock);
	ask_list_append(&client->asked, ask);
	pthread_mutex_unlock(&client->lock);
	wake(client);
	return 0;
}

int keeper_client_ask_domain(struct keeper_client *client, enum verb verb,
			     const struct verbs_domain *domain, unsigned timeout_ms,
			     keeper_client_done done, void *context, struct error *e)
{
	struct verbs_domain_request request;

	verbs_start(&request, sizeof(request), verb, 0);
	request.domain = *domain;
	return keeper_client_ask(client, &request, timeout_ms, done, context, e);
}

bool keeper_client_connected(struct keeper_client *client)
{
	return client && atomic_load(&client->connected);
}

/* ---- the client's thread ---- */

static void disconnect(struct keeper_client *client)
{
	static const char why[] = "The connection to keeper broke";
	bool was = atomic_exchange(&client->connected, false);

	if (client->sock >= 0)
		close(client->sock);
	client->sock = -1;
	client->sent_count = 0;
	client->blocked = false;
	ask_list_fail(&client->sent, why);
	ask_list_fail(&client->waiting, why);
	if (was)
		client->owner.disconnected(client->owner.user);
}

static void hello_done(void *context, const union verbs_message *answer, int fd,
		       const struct error *e)
{
	struct keeper_client *client = context;

	(void)fd;
	if (!answer) {
		if (e->code != ERROR_UNAVAILABLE)
			fprintf(stderr, "domusd: keeper refuses: %s\n", e->detail);
		if (client->sock >= 0) /* the next receive sees the end and disconnects */
			shutdown(client->sock, SHUT_RDWR);
		return;
	}
	client->backoff_ms = BACKOFF_MIN_MS;
	atomic_store(&client->connected, true);
	client->owner.connected(client->owner.user);
}

/* Puts HELLO at the head: nothing else may go first. */
static void say_hello(struct keeper_client *client)
{
	struct verbs_hello_request hello;
	struct ask *ask = calloc(1, sizeof(*ask) + sizeof(hello));

	if (!ask) {
		disconnect(client);
		return;
	}
	verbs_start(&hello, sizeof(hello), VERB_HELLO, 0);
	snprintf(hello.version, sizeof(hello.version), "%s", DOMUS_VERSION);
	hello.events = 1;
	memcpy(ask->message, &hello, sizeof(hello));
	ask->deadline_ms = clock_monotonic_ms() + HELLO_TIMEOUT_MS;
	ask->done = hello_done;
	ask->context = client;
	ask_list_append(&client->waiting, ask);
}

static void connect_keeper(struct keeper_client *client)
{
	client->sock = ipc_connect(client->path, NULL);
	if (client->sock < 0)
		return;
	fcntl(client->sock, F_SETFL, fcntl(client->sock, F_GETFL) | O_NONBLOCK);
	say_hello(client);
}

/* Before HELLO is answered, nothing but HELLO is sent. */
static bool may_send(const struct keeper_client *client)
{
	return client->waiting.first && !client->blocked &&
	       client->sent_count < (atomic_load(&client->connected) ? VERBS_INFLIGHT_MAX : 1);
}

static void send_waiting(struct keeper_client *client)
{
	while (client->sock >= 0 && may_send(client)) {
		struct ask *ask = client->waiting.first;
		struct verbs_header *header = (struct verbs_header *)ask->message;
		int sent;

		header->id = ask->id = ++client->next_id;
		sent = ipc_send(client->sock, ask->message, header->length, -1, NULL);
		if (sent < 0)
			disconnect(client);
		client->blocked = sent == 0;
		if (sent > 0) {
			ask_list_append(&client->sent,
					ask_list_remove(&client->waiting, &client->waiting.first));
			client->sent_count++;
		}
	}
}

static void take_answer(struct keeper_client *client, int fd)
{
	const union verbs_message *message = client->inbox;
	struct ask **link = &client->sent.first, *ask;
	struct error e;

	while (*link && (*link)->id != message->header.id)
		link = &(*link)->next;
	if (!*link || ((struct verbs_header *)(*link)->message)->verb != message->header.verb) {
		if (fd >= 0)
			close(fd);
		return; /* the answer to a request whose time was up */
	}
	ask = ask_list_remove(&client->sent, link);
	client->sent_count--;
	if (message->header.status != ERROR_NONE) {
		verbs_error(&message->failure, &e);
		if (fd >= 0)
			close(fd);
		ask->done(ask->context, NULL, -1, &e);
	} else {
		ask->done(ask->context, message, fd, NULL);
	}
	free(ask);
}

static void receive(struct keeper_client *client)
{
	while (client->sock >= 0) {
		struct error e = {.code = ERROR_NONE};
		int fd = -1;
		ssize_t got =
			ipc_receive(client->sock, client->inbox, sizeof(*client->inbox), &fd, &e);

		if (got < 0 && e.code == ERROR_NONE)
			return;
		if (got <= 0 || verbs_check_answer(client->inbox, (size_t)got, &e) < 0) {
			if (e.code != ERROR_NONE)
				fprintf(stderr, "domusd: keeper: %s\n", e.detail);
			if (fd >= 0)
				close(fd);
			disconnect(client);
		} else if (client->inbox->header.verb == VERB_EVENT_DOMAIN) {
			client->owner.event(client->owner.user, &client->inbox->event);
		} else if (client->inbox->header.verb == VERB_EVENT_DEVICE) {
			client->owner.device(client->owner.user, &client->inbox->device_event);
		} else {
			take_answer(client, fd);
		}
	}
}

/* Answers what has waited too long. The time until the next one is due, at most `most`. */
static int expire(struct keeper_client *client, struct ask_list *list, int most)
{
	int64_t now = clock_monotonic_ms();
	struct ask **link = &list->first;

	while (*link) {
		int64_t left = (*link)->deadline_ms - now;
		bool hello = (*link)->done == hello_done;

		if (left > 0) {
			most = left < most ? (int)left : most;
			link = &(*link)->next;
			continue;
		}
		if (list == &client->sent)
			client->sent_count--;
		ask_fail(ask_list_remove(list, link), "The keeper did not answer in time");
		if (hello) { /* a keeper that does not talk: start over */
			disconnect(client);
			return 0;
		}
	}
	return most;
}

/* false: the client is being closed. */
static bool take_asked(struct keeper_client *client)
{
	uint64_t count;
	bool ending;

	while (read(client->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&client->lock);
	if (client->asked.first) {
		*client->waiting.last = client->asked.first;
		client->waiting.last = client->asked.last;
		ask_list_init(&client->asked);
	}
	ending = client->ending;
	pthread_mutex_unlock(&client->lock);
	return !ending;
}

static void wait_for_something(struct keeper_client *client, int timeout_ms)
{
	struct pollfd fds[2] = {{.fd = client->wake_fd, .events = POLLIN},
				{.fd = client->sock, .events = POLLIN}};

	if (client->blocked)
		fds[1].events |= POLLOUT;
	poll(fds, client->sock >= 0 ? 2 : 1, timeout_ms);
	client->blocked = false;
}

static void *client_run(void *argument)
{
	struct keeper_client *client = argument;
	int64_t retry_ms = 0;

	while (take_asked(client)) {
		int timeout = BACKOFF_MAX_MS;

		if (client->sock < 0) {
			int64_t now = clock_monotonic_ms();

			ask_list_fail(&client->waiting, "The keeper is not there");
			if (now >= retry_ms) {
				connect_keeper(client);
				retry_ms = now + client->backoff_ms;
				client->backoff_ms = client->backoff_ms * 2 < BACKOFF_MAX_MS
							     ? client->backoff_ms * 2
							     : BACKOFF_MAX_MS;
			}
			timeout = (int)(retry_ms - now > 0 ? retry_ms - now : 0);
		}
		send_waiting(client);
		timeout = expire(client, &client->sent, timeout);
		timeout = expire(client, &client->waiting, timeout);
		wait_for_something(client, timeout);
		receive(client);
	}
	disconnect(client);
	return NULL;
}

int keeper_client_open(const char *socket, const struct keeper_client_owner *owner,
		       struct keeper_client **out, struct error *e)
{
	struct keeper_client *client = calloc(1, sizeof(*client));

	*out = NULL;
	if (!client)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	client->owner = *owner;
	client->sock = -1;
	client->backoff_ms = BACKOFF_MIN_MS;
	ask_list_init(&client->asked);
	ask_list_init(&client->waiting);
	ask_list_init(&client->sent);
	pthread_mutex_init(&client->lock, NULL);
	client->path = strdup(socket);
	client->inbox = malloc(sizeof(*client->inbox));
	client->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!client->path || !client->inbox || client->wake_fd < 0 ||
	    pthread_create(&client->thread, NULL, client_run, client) != 0) {
		if (client->wake_fd >= 0)
			close(client->wake_fd);
		free(client->path);
		free(client->inbox);
		free(client);
		return error_set(e, ERROR_INTERNAL, "Cannot start the keeper's client");
	}
	pthread_setname_np(client->thread, "keeper-client");
	*out = client;
	return 0;
}

void keeper_client_close(struct keeper_client *client)
{
	if (!client)
		return;
	pthread_mutex_lock(&client->lock);
	client->ending = true;
	pthread_mutex_unlock(&client->lock);
	wake(client);
	pthread_join(client->thread, NULL);
	ask_list_fail(&client->asked, "The service ends"); /* asked after the thread's last look */
	close(client->wake_fd);
	pthread_mutex_destroy(&client->lock);
	free(client->path);
	free(client->inbox);
	free(client);
}
