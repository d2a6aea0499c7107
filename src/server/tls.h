/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS for the server, by GnuTLS: its certificate, and the CAs whose signature gives a client the
 * rights of an agent or of a reader.
 *
 * Certificates are exchanged without a gap: files that have changed are read again, at most once a
 * second, and every connection from then on gets the new ones; those that are open keep theirs.
 * Files that do not fit together (yet) leave all as it was, and are counted. Whose certificate a
 * client has is judged by the CAs as they are now.
 *
 * libmicrohttpd would keep what it was given at its start, so each connection's session is handed
 * our credentials before its handshake. TLS 1.2 and 1.3 with forward secrecy and AEAD only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "server/auth_config.h"

#define TLS_FILE_SIZE_MAX (1u << 20)
#define TLS_CHAIN_MAX     8 /* certificates a client may send */

#define TLS_PRIORITIES                                                                             \
	"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-CIPHER-ALL:+AES-256-GCM:"    \
	"+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:%SERVER_PRECEDENCE"

enum tls_right { TLS_AGENT = 1, TLS_READER = 2 };

struct tls;
struct tls_credentials;

int tls_open(struct tls **ret, const struct tls_files *files,
	     struct error *ret_error); /* borrows */
struct tls *tls_free(struct tls *t);   /* always NULL; accepts NULL */

const char *tls_certificate_pem(const struct tls *t); /* for libmicrohttpd's start; borrowed */
const char *tls_key_pem(const struct tls *t);

void tls_refresh(struct tls *t, uint64_t now_ms); /* of any clock that does not step */
uint64_t tls_generation(const struct tls *t);     /* moves with every change */
uint64_t tls_failures(const struct tls *t);       /* times that files did not fit together */

/* Before the handshake: session is a gnutls_session_t. NULL: it keeps what it has. */
struct tls_credentials *tls_attach(struct tls *t, void *session);
void tls_detach(struct tls_credentials *c); /* once the session is over; accepts NULL */

/* Whose certificate the client has shown: enum tls_right, or'ed; 0: none that counts. */
unsigned int tls_peer_rights(const struct tls *t, void *session);
