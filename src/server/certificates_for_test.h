/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate authorities and what they sign, made in a moment, as PEM files. Tests only: every
 * helper fails the test when something goes wrong. */
#pragma once

#include <stdbool.h>

struct authority;

/* Its certificate goes to `path`. */
struct authority *authority_new(const char *name, const char *path);
void authority_free(struct authority *a);

/* A certificate for 127.0.0.1 and localhost, and its key; client: for TLS clients only. */
void authority_sign(struct authority *a, const char *name, bool client, const char *certificate,
		    const char *key);
/* One that was valid until yesterday. */
void authority_sign_expired(struct authority *a, const char *name, const char *certificate,
			    const char *key);
