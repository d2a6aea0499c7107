/* SPDX-License-Identifier: Apache-2.0 */
#include "server/certificates_for_test.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define DAY_S 86400

struct authority {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
};

static void hold(int r)
{
	if (r < 0)
		fail_msg("GnuTLS: %s", gnutls_strerror(r));
}

static void write_pem(const char *path, gnutls_datum_t pem)
{
	FILE *file = fopen(path, "we");

	assert_true(file && fwrite(pem.data, 1, pem.size, file) == pem.size && !fclose(file));
	gnutls_free(pem.data);
}

static gnutls_x509_privkey_t new_key(void)
{
	gnutls_x509_privkey_t key;

	hold(gnutls_x509_privkey_init(&key));
	hold(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	return key;
}

/* Named, with a serial number of its own, valid from two days ago. */
static gnutls_x509_crt_t new_certificate(const char *name, gnutls_x509_privkey_t key, time_t until)
{
	static uint32_t serial;
	uint32_t number = htonl(++serial);
	gnutls_x509_crt_t c;

	hold(gnutls_x509_crt_init(&c));
	hold(gnutls_x509_crt_set_version(c, 3));
	hold(gnutls_x509_crt_set_serial(c, &number, sizeof(number)));
	hold(gnutls_x509_crt_set_activation_time(c, time(NULL) - 2 * DAY_S));
	hold(gnutls_x509_crt_set_expiration_time(c, until));
	hold(gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0, name,
					   (unsigned int)strlen(name)));
	hold(gnutls_x509_crt_set_key(c, key));
	return c;
}

static void write_certificate(gnutls_x509_crt_t c, const char *path)
{
	gnutls_datum_t pem;

	hold(gnutls_x509_crt_export2(c, GNUTLS_X509_FMT_PEM, &pem));
	write_pem(path, pem);
}

struct authority *authority_new(const char *name, const char *path)
{
	struct authority *a = calloc(1, sizeof(*a));

	a->key = new_key();
	a->certificate = new_certificate(name, a->key, time(NULL) + DAY_S);
	hold(gnutls_x509_crt_set_basic_constraints(a->certificate, 1, -1));
	hold(gnutls_x509_crt_set_key_usage(a->certificate, GNUTLS_KEY_KEY_CERT_SIGN));
	hold(gnutls_x509_crt_sign2(a->certificate, a->certificate, a->key, GNUTLS_DIG_SHA256, 0));
	write_certificate(a->certificate, path);
	return a;
}

void authority_free(struct authority *a)
{
	gnutls_x509_crt_deinit(a->certificate);
	gnutls_x509_privkey_deinit(a->key);
	free(a);
}

static void sign(struct authority *a, const char *name, bool client, time_t until,
		 const char *certificate, const char *key_path)
{
	static const uint8_t loopback[4] = {127, 0, 0, 1};
	gnutls_x509_privkey_t key = new_key();
	gnutls_x509_crt_t c = new_certificate(name, key, until);
	gnutls_datum_t pem;

	hold(gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_IPADDRESS, loopback, 4,
						  GNUTLS_FSAN_SET));
	hold(gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_DNSNAME, "localhost", 9,
						  GNUTLS_FSAN_APPEND));
	if (client)
		hold(gnutls_x509_crt_set_key_purpose_oid(c, GNUTLS_KP_TLS_WWW_CLIENT, 0));
	hold(gnutls_x509_crt_sign2(c, a->certificate, a->key, GNUTLS_DIG_SHA256, 0));
	write_certificate(c, certificate);
	hold(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem));
	write_pem(key_path, pem);
	gnutls_x509_crt_deinit(c);
	gnutls_x509_privkey_deinit(key);
}

void authority_sign(struct authority *a, const char *name, bool client, const char *certificate,
		    const char *key)
{
	sign(a, name, client, time(NULL) + DAY_S, certificate, key);
}

void authority_sign_expired(struct authority *a, const char *name, const char *certificate,
			    const char *key)
{
	sign(a, name, true, time(NULL) - DAY_S, certificate, key);
}
