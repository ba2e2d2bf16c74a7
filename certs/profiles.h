#ifndef DOMUS_CERTS_PROFILES_H
#define DOMUS_CERTS_PROFILES_H

/*
 * What certificates the appliance makes: one row each (RFC 5280 section 4.2; leaf lifetime as the CA/Browser Forum had
 * it: 398 days at most, or Apple's clients refuse it). Keys are EC P-256 everywhere.
 */
struct cert_profile {
	const char *common_name; /* printf format with one %s */
	int days;
	const char *extensions[6][2]; /* name and value as in x509v3_config(5) */
};

/* NULL-terminated rows. The order in the certificate is this order. */
static const struct cert_profile cert_profile_ca = {
	"Domus appliance CA %s",
	3653,
	{{"basicConstraints", "critical,CA:TRUE,pathlen:0"},
	 {"keyUsage", "critical,keyCertSign,cRLSign"},
	 {"subjectKeyIdentifier", "hash"}}};
static const struct cert_profile cert_profile_leaf = {"%s",
						      397,
						      {{"basicConstraints", "critical,CA:FALSE"},
						       {"keyUsage", "critical,digitalSignature"},
						       {"extendedKeyUsage", "serverAuth"},
						       {"subjectKeyIdentifier", "hash"},
						       {"authorityKeyIdentifier", "keyid:always"}}};

#define CERT_RENEW_DAYS 30 /* before its end a leaf is replaced */
/* A board without a battery wakes up in 1970. No clock before this one (2026-01-01) is right, so it counts as this. */
#define CERT_EPOCH	   1767225600
#define CERT_BACKDATE_DAYS 7 /* notBefore lies this far back, for clients whose clock is late */

#endif
