/* SPDX-License-Identifier: Apache-2.0 */
/* What auth.h and tls.h are told. Paths; NULL: not given; borrowed for as long as the server is. */
#pragma once

#include <stdbool.h>

struct tls_files {                     /* PEM */
	const char *certificate, *key; /* the certificate with its chain */
	const char *agent_ca, *reader_ca;
};

struct auth_config {
	const char *agent_tokens, *reader_tokens;
	struct tls_files tls;
	bool plain_http;   /* beyond loopback, though anybody on the way can read it */
	bool takes_agents; /* on other machines; else only the one in this process reports */
};
