#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "domusd/pki.h"
#include "domusd/pki_make.h"

static char folder[32];
static int state_fd;

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/pki-XXXXXX");
	assert_non_null(mkdtemp(folder));
	state_fd = open(folder, O_RDONLY | O_DIRECTORY);
	assert_true(state_fd >= 0);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	close(state_fd);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void overwrite(const char *name, const char *text)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/pki/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void erase(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/pki/%s", folder, name);
	assert_int_equal(unlink(path), 0);
}

/* Opens, and gives the authority's fingerprint and whether the leaf verifies. */
static void open_good(char fingerprint[65])
{
	struct pki *pki = NULL;
	struct error e;
	X509 *ca, *leaf;

	assert_int_equal(pki_open(state_fd, &pki, &e), 0);
	memcpy(fingerprint, pki_ca_fingerprint(pki), 65);
	ca = pki_certificate_parse(pki_ca_pem(pki));
	leaf = pki_certificate_parse(pki_leaf_pem(pki));
	assert_int_equal(X509_verify(leaf, X509_get0_pubkey(ca)), 1);
	assert_int_equal(X509_check_host(leaf, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(leaf, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ca(ca), 1);
	assert_int_equal(X509_check_ca(leaf), 0);
	assert_int_equal(pki_renew(pki, &e), 0);
	X509_free(ca);
	X509_free(leaf);
	pki_close(pki);
}

static void authority_is_made_once(void **state)
{
	char first[65], second[65], path[64];
	struct stat st;

	(void)state;
	open_good(first);
	open_good(second);
	assert_string_equal(first, second);
	snprintf(path, sizeof(path), "%s/pki/ca.key", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/pki", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void damaged_leaf_is_replaced(void **state)
{
	char first[65], second[65];

	(void)state;
	open_good(first);
	overwrite("leaf.pem", "-----BEGIN CERTIFICATE-----\nMIIB");
	open_good(second);
	assert_string_equal(first, second);
	overwrite("leaf.key", "");
	open_good(second);
	assert_string_equal(first, second);
	erase("leaf.pem");
	open_good(second);
	assert_string_equal(first, second);
}

static void damaged_authority_is_never_replaced(void **state)
{
	static const char *const files[] = {"ca.pem", "ca.key"};
	struct pki *pki = NULL;
	char first[65];
	struct error e;

	(void)state;
	open_good(first);
	for (int i = 0; i < 2; i++) {
		overwrite(files[i], "half");
		assert_int_equal(pki_open(state_fd, &pki, &e), -1);
		assert_non_null(strstr(e.detail, "certificate authority"));
	}
	erase("ca.pem");
	assert_int_equal(pki_open(state_fd, &pki, &e), -1);
}

static void first_boot_that_was_cut_short_begins_anew(void **state)
{
	char first[65], second[65];

	(void)state;
	open_good(first);
	erase("leaf.pem");
	erase("leaf.key");
	erase("ca.pem"); /* as if the power went after ca.key */
	open_good(second);
	assert_string_not_equal(first, second);
}

static void leaf_is_renewed_before_it_ends_and_when_names_are_added(void **state)
{
	const time_t now = CERT_EPOCH + 1000, day = 24 * 3600;
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	struct error e;
	X509 *ca = pki_make_certificate(&cert_profile_ca, "x", NULL, ca_key, NULL, NULL, now, &e);
	X509 *leaf = pki_make_certificate(&cert_profile_leaf, "box", "DNS:box,IP:10.0.0.1", key, ca,
					  ca_key, now, &e);

	(void)state;
	assert_true(pki_leaf_good(leaf, key, ca, "DNS:box,IP:10.0.0.1", now));
	assert_true(pki_leaf_good(leaf, key, ca, "DNS:box",
				  now)); /* an address that went away is no reason */
	assert_false(pki_leaf_good(leaf, key, ca, "DNS:box,IP:10.0.0.2", now));
	assert_false(pki_leaf_good(leaf, key, ca, "DNS:other", now));
	assert_false(pki_leaf_good(leaf, ca_key, ca, "DNS:box", now));
	assert_true(pki_leaf_good(leaf, key, ca, "DNS:box", now + 350 * day));
	assert_false(pki_leaf_good(leaf, key, ca, "DNS:box", now + 370 * day));
	X509_free(leaf);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
}

static void clock_of_1970_makes_certificates_that_are_good_in_2026(void **state)
{
	const time_t day = 24 * 3600, right = CERT_EPOCH + 300 * day;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct error e;
	X509 *ca = pki_make_certificate(&cert_profile_ca, "x", NULL, key, NULL, NULL, 12, &e);
	time_t then = right;

	(void)state;
	assert_true(X509_cmp_time(X509_get0_notBefore(ca), &then) < 0);
	assert_true(X509_cmp_time(X509_get0_notAfter(ca), &then) > 0);
	X509_free(ca);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(authority_is_made_once, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_leaf_is_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_authority_is_never_replaced, setup,
						teardown),
		cmocka_unit_test_setup_teardown(first_boot_that_was_cut_short_begins_anew, setup,
						teardown),
		cmocka_unit_test(leaf_is_renewed_before_it_ends_and_when_names_are_added),
		cmocka_unit_test(clock_of_1970_makes_certificates_that_are_good_in_2026),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
