#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/http_internal.h"

struct http_credentials {
	gnutls_pcert_st certificate;
	gnutls_privkey_t key;
	struct http_credentials *older;
};

static void credentials_free(struct http_credentials *c)
{
	gnutls_pcert_deinit(&c->certificate);
	gnutls_privkey_deinit(c->key);
	free(c);
}

int http_certificate_set(struct http *http, const char *certificate_pem, const char *key_pem,
			 struct error *e)
{
	struct http_credentials *c = calloc(1, sizeof(*c));
	gnutls_datum_t certificate = {(unsigned char *)(uintptr_t)certificate_pem,
				      (unsigned)strlen(certificate_pem)};
	gnutls_datum_t key = {(unsigned char *)(uintptr_t)key_pem, (unsigned)strlen(key_pem)};

	if (!c || gnutls_privkey_init(&c->key) < 0) {
		free(c);
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	}
	if (gnutls_pcert_import_x509_raw(&c->certificate, &certificate, GNUTLS_X509_FMT_PEM, 0) <
		    0 ||
	    gnutls_privkey_import_x509_raw(c->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0) < 0) {
		credentials_free(c);
		return error_set(e, ERROR_INTERNAL, "The server certificate cannot be used.");
	}
	/* Handshakes may still use the present one, and one a year costs nothing: it stays until the end. */
	c->older = atomic_load(&http->credentials);
	atomic_store(&http->credentials, c);
	return 0;
}

/* gnutls_certificate_retrieve_function2: GnuTLS asks at each handshake; it has no argument of ours. */
static struct http *the_http;

static int retrieve(gnutls_session_t session, const gnutls_datum_t *names, int name_count,
		    const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
		    gnutls_pcert_st **certificate, unsigned *certificate_count,
		    gnutls_privkey_t *key)
{
	struct http_credentials *c = atomic_load(&the_http->credentials);

	(void)session;
	(void)names;
	(void)name_count;
	(void)algorithms;
	(void)algorithm_count;
	*certificate = &c->certificate;
	*certificate_count = 1;
	*key = c->key;
	return 0;
}

void *http_certificate_callback(struct http *http)
{
	the_http = http;
	return (void *)retrieve;
}

void http_credentials_free(struct http *http)
{
	for (struct http_credentials *c = atomic_load(&http->credentials), *older; c; c = older) {
		older = c->older;
		credentials_free(c);
	}
}
