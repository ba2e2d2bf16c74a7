#include "domusd/console_ticket.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/id.h"

#define TICKETS_MAX  256
#define SECRET_BYTES 32

static struct ticket {
	unsigned char digest[32];
	char domain[41];
	uint8_t uuid[16];
	int64_t until_ms; /* monotonic; 0: free */
} tickets[TICKETS_MAX];
static unsigned next;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void digest_of(const char *ticket, unsigned char digest[32])
{
	unsigned char full[EVP_MAX_MD_SIZE] = {0};

	EVP_Digest(ticket, strlen(ticket), full, NULL, EVP_sha256(), NULL);
	memcpy(digest, full, 32);
}

void console_ticket_make(const char *domain, const uint8_t uuid[16], char text[CONSOLE_TICKET_SIZE],
			 int64_t *expires)
{
	struct ticket ticket = {.until_ms = clock_monotonic_ms() + CONSOLE_TICKET_MS};

	id_secret(text, SECRET_BYTES);
	digest_of(text, ticket.digest);
	snprintf(ticket.domain, sizeof(ticket.domain), "%s", domain);
	memcpy(ticket.uuid, uuid, sizeof(ticket.uuid));
	*expires = clock_wall_ms() + CONSOLE_TICKET_MS;
	pthread_mutex_lock(&lock);
	tickets[next++ % TICKETS_MAX] = ticket;
	pthread_mutex_unlock(&lock);
}

static bool find(const char *domain, const uint8_t uuid[16], const char *text, bool use)
{
	unsigned char digest[32];
	int64_t now = clock_monotonic_ms();
	bool good = false;

	digest_of(text, digest);
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < TICKETS_MAX; i++) {
		struct ticket *t = &tickets[i];

		if (t->until_ms <= now || CRYPTO_memcmp(t->digest, digest, 32) != 0 ||
		    strcmp(t->domain, domain) != 0 || memcmp(t->uuid, uuid, 16) != 0)
			continue;
		good = true;
		if (use)
			t->until_ms = 0;
	}
	pthread_mutex_unlock(&lock);
	return good;
}

bool console_ticket_good(const char *domain, const uint8_t uuid[16], const char *ticket)
{
	return find(domain, uuid, ticket, false);
}

bool console_ticket_use(const char *domain, const uint8_t uuid[16], const char *ticket)
{
	return find(domain, uuid, ticket, true);
}
