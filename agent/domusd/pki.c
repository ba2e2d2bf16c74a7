#include "domusd/pki.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "domusd/file.h"
#include "domusd/id.h"
#include "domusd/pki_make.h"

#define FILE_MAX 16384

struct pki {
	int dir;
	X509 *ca;
	EVP_PKEY *ca_key;
	char *ca_pem, *leaf_pem, *leaf_key;
	char fingerprint[2 * 32 + 1];
};

static void string_cleanup(char **p)
{
	free(*p);
}
#define STRING __attribute__((cleanup(string_cleanup)))

static bool exists(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A new key and certificate to files, the key first: a certificate without its key is never there. */
static int make(struct pki *pki, const struct cert_profile *profile, const char *name,
		const char *san, const char *key_file, const char *pem_file, struct error *e)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = key ? pki_make_certificate(profile, name, san, key, pki->ca, pki->ca_key,
					     time(NULL), e)
		      : NULL;
	STRING char *key_text = x ? pki_key_pem(key) : NULL;
	STRING char *pem_text = x ? pki_certificate_pem(x) : NULL;
	int result = -1;

	if (key_text && pem_text)
		result = file_write(pki->dir, key_file, 0600, key_text, strlen(key_text), e) < 0 ||
					 file_write(pki->dir, pem_file, 0644, pem_text,
						    strlen(pem_text), e) < 0
				 ? -1
				 : 0;
	else
		error_set(e, ERROR_INTERNAL, "A certificate cannot be made.");
	if (key_text)
		explicit_bzero(key_text, strlen(key_text));
	X509_free(x);
	EVP_PKEY_free(key);
	return result;
}

static int damaged(struct error *e)
{
	return error_set(e, ERROR_INTERNAL,
			 "The certificate authority in pki/ (ca.pem, ca.key) is damaged. Browsers "
			 "and scripts trust it, so no new one is made without being told: restore "
			 "both files, or remove the whole folder pki/ to make a new authority.");
}

static int load_ca(struct pki *pki, struct error *e)
{
	size_t size;
	STRING char *key = file_read(pki->dir, "ca.key", FILE_MAX, &size, NULL);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_size = 0;

	pki->ca_pem = file_read(pki->dir, "ca.pem", FILE_MAX, &size, NULL);
	if (!key || !pki->ca_pem)
		return damaged(e);
	pki->ca = pki_certificate_parse(pki->ca_pem);
	pki->ca_key = pki_key_parse(key);
	explicit_bzero(key, strlen(key));
	if (!pki->ca || !pki->ca_key || X509_check_private_key(pki->ca, pki->ca_key) != 1 ||
	    !X509_digest(pki->ca, EVP_sha256(), digest, &digest_size))
		return damaged(e);
	for (unsigned i = 0; i < digest_size && i < 32; i++)
		snprintf(pki->fingerprint + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

static int open_ca(struct pki *pki, struct error *e)
{
	/* The leaf comes last, so without one the first boot was cut short and nobody has seen that authority. */
	if (!exists(pki->dir, "ca.pem") && !exists(pki->dir, "leaf.pem")) {
		char id[ID_SIZE];

		id_make(id);
		id[8] = '\0'; /* tells the authorities of several appliances apart in a browser's list */
		if (make(pki, &cert_profile_ca, id, NULL, "ca.key", "ca.pem", e) < 0)
			return -1;
	}
	return load_ca(pki, e);
}

int pki_open(int state_fd, struct pki **out, struct error *e)
{
	struct pki *pki = calloc(1, sizeof(*pki));

	if (!pki)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	if (mkdirat(state_fd, "pki", 0700) == 0)
		fsync(state_fd);
	pki->dir = openat(state_fd, "pki", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (pki->dir < 0 || fchmod(pki->dir, 0700) < 0) {
		error_set_errno(e, ERROR_INTERNAL, errno, "The folder pki/ cannot be opened: %s.",
				strerror(errno));
		pki_close(pki);
		return -1;
	}
	if (open_ca(pki, e) < 0 || pki_renew(pki, e) < 0) {
		pki_close(pki);
		return -1;
	}
	*out = pki;
	return 0;
}

void pki_close(struct pki *pki)
{
	if (!pki)
		return;
	if (pki->dir >= 0)
		close(pki->dir);
	X509_free(pki->ca);
	EVP_PKEY_free(pki->ca_key);
	free(pki->ca_pem);
	free(pki->leaf_pem);
	free(pki->leaf_key);
	free(pki);
}

/* Takes leaf.pem and leaf.key when they are good. */
static bool load_leaf(struct pki *pki, const char *san)
{
	size_t size;
	char *pem = file_read(pki->dir, "leaf.pem", FILE_MAX, &size, NULL);
	char *key = file_read(pki->dir, "leaf.key", FILE_MAX, &size, NULL);
	X509 *x = pem ? pki_certificate_parse(pem) : NULL;
	EVP_PKEY *pkey = key ? pki_key_parse(key) : NULL;
	bool good = x && pkey && pki_leaf_good(x, pkey, pki->ca, san, time(NULL));

	X509_free(x);
	EVP_PKEY_free(pkey);
	free(good ? pki->leaf_pem : pem);
	free(good ? pki->leaf_key : key);
	if (good) {
		pki->leaf_pem = pem;
		pki->leaf_key = key;
	}
	return good;
}

int pki_renew(struct pki *pki, struct error *e)
{
	char san[2048], host[72] = "";

	pki_host_names(san, sizeof(san));
	if (load_leaf(pki, san))
		return 0;
	gethostname(host, sizeof(host) - 1);
	if (make(pki, &cert_profile_leaf, *host ? host : "domus", san, "leaf.key", "leaf.pem", e) <
	    0)
		return -1;
	if (!load_leaf(pki, san))
		return error_set(e, ERROR_INTERNAL, "The new server certificate cannot be used.");
	return 1;
}

const char *pki_ca_pem(const struct pki *pki)
{
	return pki->ca_pem;
}

const char *pki_ca_fingerprint(const struct pki *pki)
{
	return pki->fingerprint;
}

const char *pki_leaf_pem(const struct pki *pki)
{
	return pki->leaf_pem;
}

const char *pki_leaf_key(const struct pki *pki)
{
	return pki->leaf_key;
}
