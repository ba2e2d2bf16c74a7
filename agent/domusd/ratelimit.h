#ifndef DOMUS_DOMUSD_RATELIMIT_H
#define DOMUS_DOMUSD_RATELIMIT_H

#include <pthread.h>
#include <stdint.h>

/*
 * Token buckets by name. A bucket holds `burst` tokens and gets one back every `refill_s` seconds. Nobody is locked out for
 * ever, and a table of fixed size cannot be made to grow: when it is full the bucket that was used longest ago is reused.
 */
#define RATELIMIT_BUCKETS 512

struct ratelimit {
	pthread_mutex_t mutex;
	int burst;
	int refill_s;
	struct {
		char key[56];
		int64_t full_ms; /* monotonic time when it will be full again */
	} buckets[RATELIMIT_BUCKETS];
};

void ratelimit_init(struct ratelimit *r, int burst, int refill_s);
/* Takes a token at now_ms (monotonic). 0, or the seconds until there is one. */
unsigned ratelimit_take(struct ratelimit *r, const char *key, int64_t now_ms);
/* Makes it full again: what came with this name was good. */
void ratelimit_reset(struct ratelimit *r, const char *key);

#endif
