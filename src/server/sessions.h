/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has signed in on the page: a random number that stands for a token, as long as that token is
 * valid, SESSIONS_MS at the most. Only digests are kept. Bounds: SESSIONS_MAX, then the oldest
 * goes.
 *
 * And who has tried too often: sign-ins that failed are counted by address, SIGN_INS_MAX a minute.
 *
 * Sans I/O: clock and random bytes are given.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/digest.h"
#include "server/tokens.h"

#define SESSIONS_MAX       256
#define SESSIONS_MS        (12 * 3600 * 1000)
#define SESSION_ID_SIZE    32
#define SIGN_INS_MAX       10
#define SIGN_INS_ALL_MAX   200 /* of all addresses together */
#define SIGN_INS_MS        60000
#define SIGN_INS_ADDRESSES 256

struct session {
	struct digest id, token;
	uint64_t began_ms;
	bool used;
};

struct sign_ins {
	uint8_t address[16];
	uint64_t began_ms;
	unsigned int failed;
};

struct sessions {
	struct session list[SESSIONS_MAX];
	struct sign_ins addresses[SIGN_INS_ADDRESSES], all;
};

/* An id as the cookie has it, hexadecimal and terminated. */
struct session_cookie {
	char text[2 * SESSION_ID_SIZE + 1];
};

struct session_cookie sessions_begin(struct sessions *s, const uint8_t random[SESSION_ID_SIZE],
				     const struct digest *token, uint64_t now_ms);
/* Whether such a session stands for a token that is valid still. */
bool sessions_have(struct sessions *s, const char *cookie, const struct tokens *tokens,
		   uint64_t now_ms);
void sessions_end(struct sessions *s, const char *cookie); /* if there is one */
unsigned int sessions_count(const struct sessions *s, uint64_t now_ms);

/* Whether somebody at this address (IPv4 mapped) may try to sign in. */
bool sign_ins_may(struct sessions *s, const uint8_t address[16], uint64_t now_ms);
void sign_ins_failed(struct sessions *s, const uint8_t address[16], uint64_t now_ms);
