/* SPDX-License-Identifier: Apache-2.0 */
#include "server/sessions.h"

#include <stdio.h>
#include <string.h>

struct session_cookie sessions_begin(struct sessions *s, const uint8_t random[SESSION_ID_SIZE],
				     const struct digest *token, uint64_t now_ms)
{
	struct session *place = &s->list[0];
	struct session_cookie cookie;
	size_t i;

	for (i = 0; i < SESSION_ID_SIZE; i++)
		snprintf(cookie.text + 2 * i, 3, "%02x", random[i]);
	for (i = 0; i < SESSIONS_MAX && place->used; i++)
		if (!s->list[i].used || s->list[i].began_ms < place->began_ms)
			place = &s->list[i];
	*place =
		(struct session){digest_of(cookie.text, strlen(cookie.text)), *token, now_ms, true};
	return cookie;
}

static struct session *find(struct sessions *s, const char *cookie)
{
	struct digest id = digest_of(cookie, strlen(cookie));
	struct session *found = NULL;
	size_t i;

	for (i = 0; i < SESSIONS_MAX; i++)
		if (digest_equal(&s->list[i].id, &id) && s->list[i].used)
			found = &s->list[i];
	return found;
}

bool sessions_have(struct sessions *s, const char *cookie, const struct tokens *tokens,
		   uint64_t now_ms)
{
	struct session *found = find(s, cookie);

	if (!found)
		return false;
	if (now_ms - found->began_ms < SESSIONS_MS && tokens_have(tokens, &found->token))
		return true;
	*found = (struct session){.used = false};
	return false;
}

void sessions_end(struct sessions *s, const char *cookie)
{
	struct session *found = find(s, cookie);

	if (found)
		*found = (struct session){.used = false};
}

unsigned int sessions_count(const struct sessions *s, uint64_t now_ms)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < SESSIONS_MAX; i++)
		count += s->list[i].used && now_ms - s->list[i].began_ms < SESSIONS_MS;
	return count;
}

/* --- failed sign-ins ------------------------------------------------------------------------ */

static bool is_over(const struct sign_ins *f, uint64_t now_ms)
{
	return !f->failed || now_ms - f->began_ms >= SIGN_INS_MS;
}

/* Of IPv6 the network: whoever has one address there has all. */
static void key_of(const uint8_t address[16], uint8_t ret[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(ret, address, 16);
	if (memcmp(address, mapped, 12) != 0)
		memset(ret + 8, 0, 8);
}

static struct sign_ins *find_address(struct sessions *s, const uint8_t key[16])
{
	size_t i;

	for (i = 0; i < SIGN_INS_ADDRESSES; i++)
		if (!memcmp(s->addresses[i].address, key, 16))
			return &s->addresses[i];
	return NULL;
}

/* The longest past makes room. */
static struct sign_ins *place_for(struct sessions *s, const uint8_t key[16])
{
	struct sign_ins *place = find_address(s, key);
	size_t i;

	if (place)
		return place;
	place = &s->addresses[0];
	for (i = 1; i < SIGN_INS_ADDRESSES; i++)
		if (s->addresses[i].began_ms < place->began_ms)
			place = &s->addresses[i];
	*place = (struct sign_ins){.failed = 0};
	memcpy(place->address, key, 16);
	return place;
}

bool sign_ins_may(struct sessions *s, const uint8_t address[16], uint64_t now_ms)
{
	const struct sign_ins *f;
	uint8_t key[16];

	key_of(address, key);
	f = find_address(s, key);
	return (!f || is_over(f, now_ms) || f->failed < SIGN_INS_MAX) &&
	       (is_over(&s->all, now_ms) || s->all.failed < SIGN_INS_ALL_MAX);
}

static void count(struct sign_ins *f, uint64_t now_ms)
{
	if (is_over(f, now_ms)) {
		f->failed = 0;
		f->began_ms = now_ms;
	}
	f->failed++;
}

void sign_ins_failed(struct sessions *s, const uint8_t address[16], uint64_t now_ms)
{
	uint8_t key[16];

	key_of(address, key);
	count(place_for(s, key), now_ms);
	count(&s->all, now_ms);
}
