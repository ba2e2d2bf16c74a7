#include "domusd/auth_password.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SALT_SIZE 16
#define HASH_SIZE 32
#define FORM	  "argon2id$v=19$m=%u,t=%u,p=%u$"

struct cost {
	uint32_t memory_kib, passes, lanes;
};
static const struct cost cost_now = {19456, 2, 1};

static int derive(const char *password, const struct cost *cost, const unsigned char *salt,
		  unsigned char *hash)
{
	struct cost c = *cost;
	uint32_t threads = 1;
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "ARGON2ID", NULL);
	EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)password,
						  strlen(password)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, SALT_SIZE),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &c.passes),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_THREADS, &threads),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_LANES, &c.lanes),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_MEMCOST, &c.memory_kib),
		OSSL_PARAM_construct_end(),
	};
	int good = context && EVP_KDF_derive(context, hash, HASH_SIZE, parameters) == 1;

	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return good ? 0 : -1;
}

int auth_password_hash(const char *password, char text[AUTH_PASSWORD_SIZE], struct error *e)
{
	unsigned char salt[SALT_SIZE], hash[HASH_SIZE];
	int n = snprintf(text, AUTH_PASSWORD_SIZE, FORM, cost_now.memory_kib, cost_now.passes,
			 cost_now.lanes);

	if (RAND_bytes(salt, sizeof(salt)) != 1 || derive(password, &cost_now, salt, hash) < 0)
		return error_set(e, ERROR_INTERNAL, "The password cannot be hashed.");
	for (size_t i = 0; i < SALT_SIZE; i++)
		n += snprintf(text + n, (size_t)(AUTH_PASSWORD_SIZE - n), "%02x", salt[i]);
	text[n++] = '$';
	for (size_t i = 0; i < HASH_SIZE; i++)
		n += snprintf(text + n, (size_t)(AUTH_PASSWORD_SIZE - n), "%02x", hash[i]);
	return 0;
}

/* Two digits a byte and nothing else: sscanf() would take one digit, a sign or a space and let *text pass the end. */
static bool unhex(const char **text, unsigned char *out, size_t n)
{
	for (size_t i = 0; i < n; i++, *text += 2) {
		int high = OPENSSL_hexchar2int((unsigned char)(*text)[0]);
		int low = high < 0 ? -1 : OPENSSL_hexchar2int((unsigned char)(*text)[1]);

		if (low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

bool auth_password_verify(const char *password, const char *text)
{
	unsigned char salt[SALT_SIZE] = {0}, hash[HASH_SIZE] = {0}, expected[HASH_SIZE] = {0};
	struct cost cost = cost_now;
	const char *p = text;
	int n = 0;
	bool known =
		text && sscanf(p, FORM "%n", &cost.memory_kib, &cost.passes, &cost.lanes, &n) == 3;

	if (known) {
		p += n;
		known = unhex(&p, salt, SALT_SIZE) && *p++ == '$' && unhex(&p, expected, HASH_SIZE);
	}
	if (!known)
		cost = cost_now;
	return derive(password, &cost, salt, hash) == 0 &&
	       CRYPTO_memcmp(hash, expected, HASH_SIZE) == 0 && known;
}
