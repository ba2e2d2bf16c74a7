#ifndef DOMUS_DOMUSD_PKI_MAKE_H
#define DOMUS_DOMUSD_PKI_MAKE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

#include "../../certs/profiles.h"
#include "common/error.h"

/* Certificates by profile, with OpenSSL's API and no files: pure but for random numbers. NULL and *e on failure. */

/* name fills the profile's common name; san ("DNS:host,IP:127.0.0.1") may be NULL; issuer NULL: signed by itself. */
X509 *pki_make_certificate(const struct cert_profile *profile, const char *name, const char *san,
			   EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, time_t now,
			   struct error *e);

/* PEM text, allocated: free() it. */
char *pki_certificate_pem(X509 *certificate);
char *pki_key_pem(EVP_PKEY *key);
X509 *pki_certificate_parse(const char *pem);
EVP_PKEY *pki_key_parse(const char *pem);

/* Names and addresses of this host as a subjectAltName value; at most size bytes, what does not fit is left out. */
void pki_host_names(char *san, size_t size);
/* Whether the certificate is by this issuer, for this key, valid for more than CERT_RENEW_DAYS and has all of san. */
bool pki_leaf_good(X509 *leaf, EVP_PKEY *key, X509 *ca, const char *san, time_t now);

#endif
