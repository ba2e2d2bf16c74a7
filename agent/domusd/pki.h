#ifndef DOMUS_DOMUSD_PKI_H
#define DOMUS_DOMUSD_PKI_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/*
 * The appliance's own certificate authority and its server certificate, in STATE/pki (0700): ca.key ca.pem leaf.key leaf.pem,
 * keys 0600. Made at first boot; the leaf is replaced when it is damaged, ends within 30 days, or lacks a name or address
 * that the host has now. The authority is made once: it is what clients have pinned, so if it is damaged domusd says so and
 * does not start.
 */
struct pki;

int pki_open(int state_fd, struct pki **out, struct error *e);
void pki_close(struct pki *pki);

/* Checks the leaf and replaces it if it must be. 1 when it was replaced, 0, or -1. One caller at a time. */
int pki_renew(struct pki *pki, struct error *e);

/* PEM of the authority, and SHA-256 of its DER in lower-case hex. They do not change. */
const char *pki_ca_pem(const struct pki *pki);
const char *pki_ca_fingerprint(const struct pki *pki);
/* PEM of the server certificate and its key, as pki_renew() left them: use them before the next call of it. */
const char *pki_leaf_pem(const struct pki *pki);
const char *pki_leaf_key(const struct pki *pki);

#endif
