#include <stdlib.h>

#include "domusd/http_internal.h"

#define BLOCK 16384

struct response_stream {
	struct http *http;
	struct MHD_Connection *connection;
	struct response_source source;
	void *context;
	/* guarded by http->mutex */
	int fd;
	bool woken, suspended, ended;
	struct response_stream *next, **previous;
};

void request_continue(struct request *r)
{
	struct http *http = r->http;

	pthread_mutex_lock(&http->mutex);
	if (r->held) {
		r->held = false;
		*r->previous = r->next;
		if (r->next)
			r->next->previous = r->previous;
		MHD_resume_connection(r->connection);
	} else {
		r->continued = true;
	}
	pthread_mutex_unlock(&http->mutex);
}

/* Whether the reader should be asked again; otherwise the connection is suspended. */
static bool again_or_suspend(struct response_stream *s)
{
	bool again;

	pthread_mutex_lock(&s->http->mutex);
	again = s->woken || s->ended;
	if (!again) {
		s->suspended = true;
		MHD_suspend_connection(s->connection);
	}
	pthread_mutex_unlock(&s->http->mutex);
	return again;
}

static bool begin_reading(struct response_stream *s)
{
	bool ended;

	pthread_mutex_lock(&s->http->mutex);
	s->woken = false;
	ended = s->ended;
	pthread_mutex_unlock(&s->http->mutex);
	return !ended;
}

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t size)
{
	struct response_stream *s = context;

	(void)position;
	while (begin_reading(s)) {
		ssize_t n = s->source.read(s->context, buffer, size);

		if (n > 0)
			return n;
		if (n < 0)
			break;
		if (!again_or_suspend(s))
			return 0;
	}
	return MHD_CONTENT_READER_END_OF_STREAM;
}

static void free_stream(void *context)
{
	struct response_stream *s = context;

	s->source.closed(s->context);
	pthread_mutex_lock(&s->http->mutex);
	http_hangup_unwatch(s->http, s->fd);
	*s->previous = s->next;
	if (s->next)
		s->next->previous = s->previous;
	pthread_mutex_unlock(&s->http->mutex);
	atomic_fetch_sub(&s->http->stream_count, 1);
	free(s);
}

struct response_stream *request_reply_stream(struct request *r, const char *type,
					     const struct response_source *source, void *context)
{
	struct response_stream *s = calloc(1, sizeof(*s));
	struct MHD_Response *response = NULL;

	if (s)
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream,
							     s, free_stream);
	if (!response) {
		free(s);
		source->closed(context);
		request_answer(r, 500, NULL);
		return NULL;
	}
	*s = (struct response_stream){.http = r->http,
				      .connection = r->connection,
				      .source = *source,
				      .context = context};
	pthread_mutex_lock(&r->http->mutex);
	s->ended = r->http->stopping;
	s->next = r->http->streams;
	s->previous = &r->http->streams;
	if (s->next)
		s->next->previous = &s->next;
	r->http->streams = s;
	s->fd = http_hangup_watch(r->http, r->connection);
	pthread_mutex_unlock(&r->http->mutex);
	atomic_fetch_add(&r->http->stream_count, 1);
	MHD_add_response_header(response, "Content-Type", type);
	request_answer(r, 200, response);
	return s;
}

/* http->mutex is held. */
static void wake(struct response_stream *s)
{
	s->woken = true;
	if (s->suspended) {
		s->suspended = false;
		MHD_resume_connection(s->connection);
	}
}

void response_wake(struct response_stream *s)
{
	pthread_mutex_lock(&s->http->mutex);
	wake(s);
	pthread_mutex_unlock(&s->http->mutex);
}

bool http_stream_hangup(struct http *http, int fd)
{
	struct response_stream *s = http->streams;

	while (s && s->fd != fd)
		s = s->next;
	if (!s)
		return false;
	s->ended = true;
	wake(s);
	return true;
}

void http_streams_end(struct http *http)
{
	pthread_mutex_lock(&http->mutex);
	for (struct response_stream *s = http->streams; s; s = s->next) {
		s->ended = true;
		wake(s);
	}
	pthread_mutex_unlock(&http->mutex);
}
