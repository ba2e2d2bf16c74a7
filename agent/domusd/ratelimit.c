#include "domusd/ratelimit.h"

#include <stdio.h>
#include <string.h>

void ratelimit_init(struct ratelimit *r, int burst, int refill_s)
{
	memset(r, 0, sizeof(*r));
	pthread_mutex_init(&r->mutex, NULL);
	r->burst = burst;
	r->refill_s = refill_s;
}

/* A linear search: at most a few a second come here, each followed by a password hash that costs a thousand times more. */
static size_t find(struct ratelimit *r, const char *key)
{
	size_t oldest = 0;

	for (size_t i = 0; i < RATELIMIT_BUCKETS; i++) {
		if (!strncmp(r->buckets[i].key, key, sizeof(r->buckets[i].key) - 1))
			return i;
		if (r->buckets[i].full_ms < r->buckets[oldest].full_ms)
			oldest = i;
	}
	snprintf(r->buckets[oldest].key, sizeof(r->buckets[oldest].key), "%s", key);
	r->buckets[oldest].full_ms = 0;
	return oldest;
}

unsigned ratelimit_take(struct ratelimit *r, const char *key, int64_t now_ms)
{
	int64_t refill_ms = r->refill_s * INT64_C(1000), full_ms, wait_ms;
	size_t i;

	pthread_mutex_lock(&r->mutex);
	i = find(r, key);
	full_ms = r->buckets[i].full_ms > now_ms ? r->buckets[i].full_ms : now_ms;
	/* Each token that is missing takes refill_ms to come back, so the time to full says how many there are. */
	wait_ms = full_ms + refill_ms - (now_ms + r->burst * refill_ms);
	if (wait_ms <= 0)
		r->buckets[i].full_ms = full_ms + refill_ms;
	pthread_mutex_unlock(&r->mutex);
	return wait_ms <= 0 ? 0 : (unsigned)((wait_ms + 999) / 1000);
}

void ratelimit_reset(struct ratelimit *r, const char *key)
{
	pthread_mutex_lock(&r->mutex);
	r->buckets[find(r, key)].full_ms = 0;
	pthread_mutex_unlock(&r->mutex);
}
