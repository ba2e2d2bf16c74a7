#include <stdio.h>
#include <time.h>

#include "domusd/http_internal.h"
#include "domusd/metrics.h"

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void http_count(struct request *r, unsigned status)
{
	struct http *http = r->http;
	size_t route = r->match.route ? (size_t)(r->match.route - http->options.routes)
				      : http->options.route_count;
	struct http_counters *c = &http->counters[route];
	int64_t took = now_us() - r->started_us;

	atomic_fetch_add(&c->answers[status / 100 < HTTP_CLASSES ? status / 100 : 5], 1);
	atomic_fetch_add(&c->microseconds, (unsigned long)(took > 0 ? took : 0));
}

static void each_route(struct http *http, struct metrics_text *text, bool latency)
{
	char labels[256];

	for (size_t i = 0; i <= http->options.route_count; i++) {
		const struct route *route = &http->options.routes[i];
		bool other = i == http->options.route_count;
		unsigned long all = 0;

		for (unsigned k = 1; k < HTTP_CLASSES; k++) {
			unsigned long n = atomic_load(&http->counters[i].answers[k]);

			all += n;
			snprintf(labels, sizeof(labels),
				 "method=\"%s\",route=\"%s\",status=\"%uxx\"",
				 other ? "other" : route->method, other ? "other" : route->pattern,
				 k);
			if (n && !latency)
				metrics_sample(text, "domus_http_requests_total", labels,
					       (double)n);
		}
		snprintf(labels, sizeof(labels), "method=\"%s\",route=\"%s\"",
			 other ? "other" : route->method, other ? "other" : route->pattern);
		if (all && latency)
			metrics_sample(text, "domus_http_request_seconds_total", labels,
				       (double)atomic_load(&http->counters[i].microseconds) / 1e6);
	}
}

static void write_metrics(void *context, struct metrics_text *text)
{
	struct http *http = context;
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	metrics_head(text, "domus_http_requests_total", "counter",
		     "Answers by route and status class");
	each_route(http, text, false);
	metrics_head(text, "domus_http_request_seconds_total", "counter",
		     "Time from header to answer, summed");
	each_route(http, text, true);
	metrics_head(text, "domus_http_connections", "gauge", "Open connections");
	metrics_sample(text, "domus_http_connections", NULL, info ? info->num_connections : 0);
	metrics_head(text, "domus_http_streams", "gauge", "Event streams that are open");
	metrics_sample(text, "domus_http_streams", NULL, atomic_load(&http->stream_count));
	metrics_head(text, "domus_http_websockets", "gauge", "Consoles that are open");
	metrics_sample(text, "domus_http_websockets", NULL, atomic_load(&http->upgrade_count));
}

void http_metrics_register(struct http *http)
{
	metrics_add(write_metrics, http);
}
