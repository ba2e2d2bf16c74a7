#include "domusd/events.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/auth_credential.h"
#include "domusd/clock.h"

#define HEARTBEAT_MS 15000
#define BUFFER_SIZE  32768 /* of what was read and not yet sent; an event is at most 8 KiB */

struct stream {
	struct events *events;
	struct principal principal;
	struct journal_listener listener;
	struct response_stream *response;
	int64_t after;
	bool opened, reset; /* the opening block was sent; it is a reset */
	int64_t sent_ms; /* when something was last sent; written by the reader, read by the ticker under the mutex */
	bool heartbeat, revoked; /* guarded by events->mutex */
	char *buffer;
	size_t used, sent;
	struct stream *next, **previous;
};

/* Lock order: this mutex, then http's. */
struct events {
	struct journal *journal;
	struct auth *auth;
	pthread_mutex_t mutex;
	struct stream *streams;
	int count;
};

int events_open(struct journal *journal, struct auth *auth, struct events **out, struct error *e)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	events->journal = journal;
	events->auth = auth;
	pthread_mutex_init(&events->mutex, NULL);
	*out = events;
	return 0;
}

void events_close(struct events *events)
{
	if (!events)
		return;
	pthread_mutex_destroy(&events->mutex);
	free(events);
}

static bool take(void *context, int64_t seq, const char *json)
{
	struct stream *s = context;
	size_t room = BUFFER_SIZE - s->used;
	int n = snprintf(s->buffer + s->used, room, "id: %" PRId64 "\ndata: %s\n\n", seq, json);

	if (n < 0 || (size_t)n >= room)
		return s->used ==
		       0; /* one that never fits is left out rather than stopping everything */
	s->used += (size_t)n;
	return true;
}

static void open_block(struct stream *s)
{
	int64_t newest = journal_newest(s->events->journal);
	int64_t oldest = journal_oldest(s->events->journal);

	if (s->after < 0) {
		s->after = newest;
	} else if (s->after > newest || s->after + 1 < oldest) {
		s->after = newest;
		s->reset = true;
	}
	s->used = (size_t)(s->reset ? snprintf(s->buffer, BUFFER_SIZE,
					       "event: reset\nid: %" PRId64
					       "\ndata: {\"seq\":%" PRId64 "}\n\n",
					       newest, newest)
				    : snprintf(s->buffer, BUFFER_SIZE, "id: %" PRId64 "\n\n",
					       s->after));
	s->opened = true;
}

/* Fills the buffer; false: cut the stream. */
static bool refill(struct stream *s)
{
	struct events *events = s->events;
	bool heartbeat, revoked;
	int64_t last;

	s->used = s->sent = 0;
	pthread_mutex_lock(&events->mutex);
	heartbeat = s->heartbeat;
	revoked = s->revoked;
	s->heartbeat = false;
	pthread_mutex_unlock(&events->mutex);
	if (revoked)
		return false;
	if (!s->opened) {
		open_block(s);
		return true;
	}
	/* Retention has overtaken him: he comes back and gets a reset. */
	if (s->after + 1 < journal_oldest(events->journal))
		return false;
	last = journal_read(events->journal, s->after, s->principal.privilege, take, s, NULL);
	if (last < 0)
		return false;
	s->after = last;
	if (!s->used && heartbeat)
		s->used = (size_t)snprintf(s->buffer, BUFFER_SIZE, ":\n\n");
	return true;
}

static ssize_t read_stream(void *context, char *out, size_t size)
{
	struct stream *s = context;
	size_t n;

	if (s->sent == s->used && !refill(s))
		return -1;
	n = s->used - s->sent;
	if (n > size)
		n = size;
	if (!n)
		return 0;
	memcpy(out, s->buffer + s->sent, n);
	s->sent += n;
	pthread_mutex_lock(&s->events->mutex);
	s->sent_ms = clock_monotonic_ms();
	pthread_mutex_unlock(&s->events->mutex);
	return (ssize_t)n;
}

static void closed(void *context)
{
	struct stream *s = context;
	struct events *events = s->events;

	if (s->response)
		journal_unlisten(events->journal, &s->listener);
	pthread_mutex_lock(&events->mutex);
	*s->previous = s->next;
	if (s->next)
		s->next->previous = s->previous;
	events->count--;
	pthread_mutex_unlock(&events->mutex);
	free(s->buffer);
	free(s);
}

static void on_commit(void *context)
{
	struct stream *s = context;

	response_wake(s->response);
}

/* Puts the stream among the others if there is room. */
static bool enter(struct events *events, struct stream *s)
{
	int mine = 0;
	bool room;

	pthread_mutex_lock(&events->mutex);
	for (struct stream *o = events->streams; o; o = o->next)
		mine += !strcmp(o->principal.credential, s->principal.credential);
	room = mine < EVENTS_PER_CREDENTIAL && events->count < EVENTS_STREAMS_MAX;
	if (room) {
		events->count++;
		s->next = events->streams;
		s->previous = &events->streams;
		if (s->next)
			s->next->previous = &s->next;
		events->streams = s;
	}
	pthread_mutex_unlock(&events->mutex);
	return room;
}

int events_stream(struct events *events, struct request *r, int64_t after, struct error *e)
{
	static const struct response_source source = {read_stream, closed};
	struct stream *s = calloc(1, sizeof(*s));
	char *buffer = malloc(BUFFER_SIZE);
	struct response_stream *response;

	if (!s || !buffer) {
		free(s);
		free(buffer);
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	}
	s->events = events;
	s->principal = *request_principal(r);
	s->after = after;
	s->buffer = buffer;
	s->sent_ms = clock_monotonic_ms();
	s->listener = (struct journal_listener){.run = on_commit, .context = s};
	if (!enter(events, s)) {
		free(buffer);
		free(s);
		return error_set(e, ERROR_RATE, "Too many event streams are open.");
	}
	response = request_reply_stream(r, "text/event-stream", &source, s);
	if (!response)
		return 0; /* answered 500, and s is freed */
	/* The first read comes after the handler has returned. */
	pthread_mutex_lock(&events->mutex);
	s->response = response;
	pthread_mutex_unlock(&events->mutex);
	journal_listen(events->journal, &s->listener);
	return 0;
}

void events_tick(void *context)
{
	struct events *events = context;
	int64_t now = clock_monotonic_ms();

	pthread_mutex_lock(&events->mutex);
	for (struct stream *s = events->streams; s; s = s->next) {
		if (now - s->sent_ms < HEARTBEAT_MS - 5000 || !s->response)
			continue;
		s->heartbeat = true;
		s->revoked = !auth_credential_good(events->auth, &s->principal);
		response_wake(s->response);
	}
	pthread_mutex_unlock(&events->mutex);
}
