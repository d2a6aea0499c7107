/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "server/file.h"

enum which { CERTIFICATE, KEY, AGENT_CA, READER_CA, FILE_COUNT };

struct tls_credentials {
	gnutls_certificate_credentials_t gnutls;
	gnutls_x509_trust_list_t agents, readers; /* NULL: no such CA */
	unsigned int references;                  /* connections, and the tls itself */
	char *pem[FILE_COUNT];
};

struct tls {
	struct file_watch files[FILE_COUNT]; /* path NULL: none */
	struct tls_credentials *now;
	uint64_t generation, failures;
};

static void credentials_free(struct tls_credentials *c)
{
	if (!c)
		return;
	if (c->agents)
		gnutls_x509_trust_list_deinit(c->agents, 1);
	if (c->readers)
		gnutls_x509_trust_list_deinit(c->readers, 1);
	if (c->gnutls)
		gnutls_certificate_free_credentials(c->gnutls);
	if (c->pem[KEY])
		explicit_bzero(c->pem[KEY], strlen(c->pem[KEY]));
	for (int i = 0; i < FILE_COUNT; i++)
		free(c->pem[i]);
	free(c);
}

static gnutls_datum_t datum(const char *pem)
{
	return (gnutls_datum_t){(unsigned char *)pem, (unsigned int)strlen(pem)};
}

static int load_pair(const struct tls *t, struct tls_credentials *c, struct error *e)
{
	gnutls_datum_t certificate = datum(c->pem[CERTIFICATE]), key = datum(c->pem[KEY]);
	int r = gnutls_certificate_set_x509_key_mem(c->gnutls, &certificate, &key,
						    GNUTLS_X509_FMT_PEM);

	if (r < 0)
		return error_set(e, -EINVAL,
				 "cannot use %s with %s: %s; give a certificate and its own key, "
				 "both PEM",
				 t->files[CERTIFICATE].path, t->files[KEY].path,
				 gnutls_strerror(r));
	return 0;
}

/* Also told to clients, so that they know which certificate to show. */
static int load_ca(const struct tls *t, struct tls_credentials *c, enum which which,
		   gnutls_x509_trust_list_t *ret, struct error *e)
{
	gnutls_datum_t pem;
	int r;

	if (!c->pem[which])
		return 0;
	pem = datum(c->pem[which]);
	r = gnutls_x509_trust_list_init(ret, 0);
	if (r >= 0)
		r = gnutls_x509_trust_list_add_trust_mem(*ret, &pem, NULL, GNUTLS_X509_FMT_PEM, 0,
							 0);
	if (r > 0)
		r = gnutls_certificate_set_x509_trust_mem(c->gnutls, &pem, GNUTLS_X509_FMT_PEM);
	if (r <= 0)
		return error_set(e, -EINVAL, "cannot use %s: %s; give the CA's certificates as PEM",
				 t->files[which].path,
				 r ? gnutls_strerror(r) : "no certificate in it");
	return 0;
}

/* Who may report may not read because of a file given twice. */
static int check_apart(const struct tls *t, const struct tls_credentials *c, struct error *e)
{
	if (!c->pem[AGENT_CA] || !c->pem[READER_CA] ||
	    strcmp(c->pem[AGENT_CA], c->pem[READER_CA]) != 0)
		return 0;
	return error_set(e, -EINVAL,
			 "cannot use %s for agents and for readers: each agent could read; give "
			 "them a CA each",
			 t->files[AGENT_CA].path);
}

static int load(struct tls *t, struct tls_credentials **ret, struct error *e)
{
	struct tls_credentials *c = calloc(1, sizeof(*c));
	size_t size;
	int r = c && !gnutls_certificate_allocate_credentials(&c->gnutls) ? 0 : -ENOMEM;

	if (r < 0)
		error_set(e, r, "cannot start TLS: out of memory");
	for (int i = 0; !r && i < FILE_COUNT; i++)
		if (t->files[i].path)
			r = file_read(&t->files[i], TLS_FILE_SIZE_MAX, &c->pem[i], &size, e);
	if (!r)
		r = load_pair(t, c, e);
	if (!r)
		r = load_ca(t, c, AGENT_CA, &c->agents, e);
	if (!r)
		r = load_ca(t, c, READER_CA, &c->readers, e);
	if (!r)
		r = check_apart(t, c, e);
	if (r < 0) {
		credentials_free(c);
		return r;
	}
	c->references = 1;
	*ret = c;
	return 0;
}

static bool look(struct tls *t, uint64_t now_ms)
{
	bool changed = false;

	for (int i = 0; i < FILE_COUNT; i++)
		if (t->files[i].path)
			changed |= file_changed(&t->files[i], now_ms);
	return changed;
}

static void files_done(struct tls *t)
{
	for (int i = 0; i < FILE_COUNT; i++)
		file_done(&t->files[i]);
}

int tls_open(struct tls **ret, const struct tls_files *files, struct error *ret_error)
{
	struct tls *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return error_set(ret_error, -ENOMEM, "cannot start TLS: out of memory");
	t->files[CERTIFICATE].path = files->certificate;
	t->files[KEY].path = files->key;
	t->files[AGENT_CA].path = files->agent_ca;
	t->files[READER_CA].path = files->reader_ca;
	look(t, 0);
	r = load(t, &t->now, ret_error);
	if (r < 0) {
		files_done(t);
		free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct tls *tls_free(struct tls *t)
{
	if (t) {
		tls_detach(t->now);
		files_done(t);
	}
	free(t);
	return NULL;
}

const char *tls_certificate_pem(const struct tls *t)
{
	return t->now->pem[CERTIFICATE];
}

const char *tls_key_pem(const struct tls *t)
{
	return t->now->pem[KEY];
}

void tls_refresh(struct tls *t, uint64_t now_ms)
{
	struct tls_credentials *fresh;
	struct error ignored; /* counted: there is nobody to tell */

	if (!look(t, now_ms))
		return;
	if (load(t, &fresh, &ignored) < 0) {
		t->failures++;
		file_look_again(&t->files[CERTIFICATE]); /* the others may be on their way */
		return;
	}
	tls_detach(t->now);
	t->now = fresh;
	t->generation++;
}

uint64_t tls_generation(const struct tls *t)
{
	return t->generation;
}

uint64_t tls_failures(const struct tls *t)
{
	return t->failures;
}

struct tls_credentials *tls_attach(struct tls *t, void *session)
{
	struct tls_credentials *c = t->now;

	if (!session || gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, c->gnutls) < 0)
		return NULL;
	gnutls_certificate_server_set_request(
		session, c->agents || c->readers ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
	c->references++;
	return c;
}

void tls_detach(struct tls_credentials *c)
{
	if (c && !--c->references)
		credentials_free(c);
}

static bool is_signed_by(gnutls_x509_trust_list_t ca, gnutls_x509_crt_t *chain, unsigned int count)
{
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
					 .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
	unsigned int wrong = 0;

	return ca &&
	       gnutls_x509_trust_list_verify_crt2(ca, chain, count, &purpose, 1, 0, &wrong, NULL) >=
		       0 &&
	       !wrong;
}

unsigned int tls_peer_rights(const struct tls *t, void *session)
{
	gnutls_x509_crt_t chain[TLS_CHAIN_MAX];
	unsigned int sent = 0, count = 0, rights = 0;
	const gnutls_datum_t *der = session ? gnutls_certificate_get_peers(session, &sent) : NULL;

	if (!der || sent > TLS_CHAIN_MAX)
		return 0;
	for (; count < sent; count++) {
		if (gnutls_x509_crt_init(&chain[count]) < 0)
			break;
		if (gnutls_x509_crt_import(chain[count], &der[count], GNUTLS_X509_FMT_DER) < 0) {
			gnutls_x509_crt_deinit(chain[count]);
			break;
		}
	}
	if (count == sent && count)
		rights = (is_signed_by(t->now->agents, chain, count) ? TLS_AGENT : 0) |
			 (is_signed_by(t->now->readers, chain, count) ? TLS_READER : 0);
	while (count)
		gnutls_x509_crt_deinit(chain[--count]);
	return rights;
}
