#include "domusd/pki_make.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void bn_cleanup(BIGNUM **p)
{
	BN_free(*p);
}

static int set_serial(X509 *x)
{
	__attribute__((cleanup(bn_cleanup))) BIGNUM *serial = BN_new();

	/* 127 bits with the top one set: positive, and never shorter (RFC 5280 section 4.1.2.2). */
	return serial && BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
	       BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x));
}

static int set_subject(X509 *x, const struct cert_profile *profile, const char *name, X509 *issuer)
{
	X509_NAME *subject = X509_get_subject_name(x);
	char common[80];

	/* 64 is the limit of commonName (RFC 5280 appendix A, ub-common-name). */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(common, sizeof(common), profile->common_name, name);
#pragma GCC diagnostic pop
	common[64] = '\0';
	return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
					  (const unsigned char *)"Domus", -1, -1, 0) &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
					  (const unsigned char *)common, -1, -1, 0) &&
	       X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : subject);
}

static int add_extension(X509 *x, X509V3_CTX *context, const char *name, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf(NULL, context, name, value);
	int good = extension && X509_add_ext(x, extension, -1);

	X509_EXTENSION_free(extension);
	return good;
}

static int add_extensions(X509 *x, const struct cert_profile *profile, const char *san,
			  X509 *issuer)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer ? issuer : x, x, NULL, NULL, 0);
	for (size_t i = 0; i < sizeof(profile->extensions) / sizeof(profile->extensions[0]); i++)
		if (profile->extensions[i][0] &&
		    !add_extension(x, &context, profile->extensions[i][0],
				   profile->extensions[i][1]))
			return 0;
	return !san || add_extension(x, &context, "subjectAltName", san);
}

static int fill(X509 *x, const struct cert_profile *profile, const char *name, const char *san,
		EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, time_t now)
{
	const long day = 24L * 3600;

	if (now < CERT_EPOCH)
		now = CERT_EPOCH;
	return X509_set_version(x, X509_VERSION_3) && set_serial(x) &&
	       X509_time_adj_ex(X509_getm_notBefore(x), 0, -CERT_BACKDATE_DAYS * day, &now) &&
	       X509_time_adj_ex(X509_getm_notAfter(x), profile->days, -CERT_BACKDATE_DAYS * day,
				&now) &&
	       X509_set_pubkey(x, key) && set_subject(x, profile, name, issuer) &&
	       add_extensions(x, profile, san, issuer) &&
	       X509_sign(x, issuer_key ? issuer_key : key, EVP_sha256());
}

X509 *pki_make_certificate(const struct cert_profile *profile, const char *name, const char *san,
			   EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, time_t now,
			   struct error *e)
{
	X509 *x = X509_new();

	if (x && fill(x, profile, name, san, key, issuer, issuer_key, now))
		return x;
	X509_free(x);
	error_set(e, ERROR_INTERNAL, "A certificate cannot be made.");
	return NULL;
}

static char *bio_text(BIO *bio, int good)
{
	char *data, *text = NULL;
	long size = BIO_get_mem_data(bio, &data);

	if (good && size > 0)
		text = strndup(data, (size_t)size);
	BIO_free(bio);
	return text;
}

char *pki_certificate_pem(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return bio ? bio_text(bio, PEM_write_bio_X509(bio, certificate)) : NULL;
}

char *pki_key_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem());

	return bio ? bio_text(bio, PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		   : NULL;
}

X509 *pki_certificate_parse(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return x;
}

EVP_PKEY *pki_key_parse(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;

	BIO_free(bio);
	return key;
}

static bool label_good(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

	return n && n <= 63 && !name[n];
}

static void append(char *san, size_t size, const char *kind, const char *value)
{
	size_t n = strlen(san);
	char item[160];
	int length = snprintf(item, sizeof(item), "%s%s:%s", n ? "," : "", kind, value);

	if (n + (size_t)length < size)
		memcpy(san + n, item, (size_t)length + 1);
}

void pki_host_names(char *san, size_t size)
{
	char host[72] = "", local[80], address[INET6_ADDRSTRLEN];
	struct ifaddrs *interfaces = NULL;

	san[0] = '\0';
	gethostname(host, sizeof(host) - 1);
	append(san, size, "DNS", "localhost");
	append(san, size, "IP", "127.0.0.1");
	append(san, size, "IP", "::1");
	if (label_good(host) && strcmp(host, "localhost")) {
		append(san, size, "DNS", host);
		if (!strchr(host, '.')) {
			snprintf(local, sizeof(local), "%s.local", host);
			append(san, size, "DNS", local);
		}
	}
	if (getifaddrs(&interfaces))
		return;
	for (struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
		const struct sockaddr_in6 *six = (const void *)i->ifa_addr;
		const struct sockaddr_in *four = (const void *)i->ifa_addr;

		if (!i->ifa_addr || i->ifa_flags & IFF_LOOPBACK)
			continue;
		if (i->ifa_addr->sa_family == AF_INET &&
		    inet_ntop(AF_INET, &four->sin_addr, address, sizeof(address)))
			append(san, size, "IP", address);
		/* A link-local address needs a zone, which no certificate can name. */
		if (i->ifa_addr->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr) &&
		    inet_ntop(AF_INET6, &six->sin6_addr, address, sizeof(address)))
			append(san, size, "IP", address);
	}
	freeifaddrs(interfaces);
}

static bool has_all(X509 *leaf, const char *san)
{
	char copy[4096], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", san);
	for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		bool dns = !strncmp(item, "DNS:", 4);

		if (dns ? X509_check_host(leaf, item + 4, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
					  NULL) != 1
			: X509_check_ip_asc(leaf, item + 3, 0) != 1)
			return false;
	}
	return true;
}

bool pki_leaf_good(X509 *leaf, EVP_PKEY *key, X509 *ca, const char *san, time_t now)
{
	time_t renew;

	if (now < CERT_EPOCH)
		now = CERT_EPOCH;
	renew = now + CERT_RENEW_DAYS * 24L * 3600;
	return X509_check_private_key(leaf, key) == 1 &&
	       X509_verify(leaf, X509_get0_pubkey(ca)) == 1 &&
	       X509_cmp_time(X509_get0_notBefore(leaf), &now) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(leaf), &renew) > 0 && has_all(leaf, san);
}
