/* SPDX-License-Identifier: Apache-2.0 */
/* See intake.h. */
#include "server/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/life.h"

const char *intake_counter_name(unsigned int counter)
{
#define INTAKE_NAME(id, name, help) [INTAKE_##id] = name,
	static const char *const names[INTAKE_COUNTER_COUNT] = {INTAKE_COUNTERS(INTAKE_NAME)};

	return counter < INTAKE_COUNTER_COUNT ? names[counter] : "unknown";
}

void intake_init(struct intake *in, struct core *core, const struct intake_store *store)
{
	*in = (struct intake){.core = core, .store = store};
}

void intake_done(struct intake *in)
{
	free(in->waiters);
	*in = (struct intake){0};
}

/* --- waiting for the store ------------------------------------------------------------------ */

static int wait_for(struct intake *in, uint64_t ticket, intake_done_fn done, void *userdata)
{
	if (in->waiter_count == INTAKE_WAITERS_MAX)
		return -EAGAIN;
	if (in->waiter_count == in->waiter_capacity) {
		size_t capacity = 2 * in->waiter_capacity + 16;
		struct intake_waiter *grown = realloc(in->waiters, capacity * sizeof(*grown));

		if (!grown)
			return -EAGAIN;
		in->waiters = grown;
		in->waiter_capacity = capacity;
	}
	in->waiters[in->waiter_count++] = (struct intake_waiter){ticket, done, userdata};
	return 0;
}

/* Answers now if that ticket is durable, else once it is. */
static int answer_when_durable(struct intake *in, uint64_t ticket, intake_done_fn done,
			       void *userdata)
{
	if (ticket > in->durable_ticket)
		return wait_for(in, ticket, done, userdata);
	done(userdata, 0);
	return 0;
}

void intake_durable(struct intake *in, uint64_t ticket, int r)
{
	size_t kept = 0, count = in->waiter_count;

	if (!r && ticket > in->durable_ticket)
		in->durable_ticket = ticket;
	for (size_t i = 0; i < count; i++) {
		struct intake_waiter w = in->waiters[i];

		if (w.ticket > ticket) {
			in->waiters[kept++] = w;
			continue;
		}
		in->count[INTAKE_NOT_DURABLE] += r < 0;
		w.done(w.userdata, r);
	}
	in->waiter_count = kept;
}

int intake_parse_now(const char *text, uint64_t *ret_ns)
{
	uint64_t value = 0;

	if (!text || !*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 19)
		return -EINVAL;
	for (; *text; text++)
		value = 10 * value + (uint64_t)(*text - '0');
	if (!value)
		return -EINVAL;
	*ret_ns = value;
	return 0;
}

uint32_t intake_agent(const struct intake *in, const struct wire_batch *b)
{
	const struct reporter *r = life_find_reporter(in->core, b->node);

	return r ? r->index : UINT32_MAX;
}

/* --- judging -------------------------------------------------------------------------------- */

/* Of the life that is known: 0, or 1 if this very batch was taken before. */
static int judge_sequence(const struct reporter *r, const struct wire_batch *b,
			  const uint8_t hash[INTAKE_HASH_SIZE])
{
	if (b->sequence == r->sequence && !b->definitions &&
	    !memcmp(r->body_hash, hash, INTAKE_HASH_SIZE))
		return 1;
	if (b->sequence <= r->sequence)
		return -EBADE;
	return b->definitions || b->sequence == r->defined_for ? 0 : -ENOKEY;
}

static int judge(const struct intake *in, const struct reporter *r, const struct wire_batch *b,
		 const uint8_t hash[INTAKE_HASH_SIZE], uint64_t now_ns)
{
	bool known = life_is_known(in->core, r);
	bool rebooted = known && !life_is_of_boot(r, b);

	if (rebooted && reporter_is_reporting(r, now_ns))
		return -EADDRINUSE;
	if (known && !rebooted && b->started_ns == r->started_ns)
		return judge_sequence(r, b, hash);
	if (known && !rebooted && b->started_ns < r->started_ns)
		return -ESTALE;
	/* a new life: its first batch defines all that it names */
	return b->definitions || b->sequence == 1 ? 0 : -ENOKEY;
}

static int refuse(struct intake *in, int r)
{
	switch (r) {
	case -ENOKEY:
		in->count[INTAKE_ASKED]++;
		break;
	case -EBADE:
		in->count[INTAKE_OTHER_BODY]++;
		break;
	case -EADDRINUSE:
		in->count[INTAKE_NAME_TAKEN]++;
		break;
	case -ESTALE:
		in->count[INTAKE_STALE]++;
		break;
	case -EUSERS:
		in->count[INTAKE_AGENTS_FULL]++;
		break;
	case -EINVAL:
		in->count[INTAKE_SENSELESS]++;
		break;
	default:
		in->count[INTAKE_NOT_DURABLE]++;
		return -EAGAIN;
	}
	return r;
}

/* --- taking --------------------------------------------------------------------------------- */

static int ingest(struct intake *in, const struct wire_batch *b, uint64_t now_ns)
{
	int r = core_ingest(in->core, b, now_ns);

	return r == -ENOSPC ? -EUSERS : r == -EALREADY ? -EBADE : r;
}

static int take(struct intake *in, struct reporter *r, const struct wire_batch *b,
		const uint8_t hash[INTAKE_HASH_SIZE], uint64_t now_ns)
{
	int e = ingest(in, b, now_ns);

	if (e < 0) {
		/* half of its definitions may have been learnt: say them again */
		if (e == -ENOMEM && life_is_known(in->core, r))
			r->defined_for = 0;
		return e;
	}
	r->defined_for = b->sequence + !b->definitions;
	r->elsewhere = true;
	in->count[b->definitions ? INTAKE_DEFINITIONS : INTAKE_TAKEN]++;
	if (b->definitions)
		return 0;
	memcpy(r->body_hash, hash, INTAKE_HASH_SIZE);
	r->ticket = ++in->ticket;
	if (in->store)
		in->store->persist(in->store->userdata, r, b, r->ticket);
	else
		in->durable_ticket = r->ticket;
	return 0;
}

static bool is_of_life(const struct intake *in, const struct reporter *r,
		       const struct wire_batch *b)
{
	return life_is_known(in->core, r) && life_is_of_boot(r, b) &&
	       b->started_ns == r->started_ns;
}

int intake_take(struct intake *in, const struct wire_batch *b, const uint8_t hash[INTAKE_HASH_SIZE],
		uint64_t now_ns, intake_done_fn done, void *userdata)
{
	struct reporter *r = life_find_reporter(in->core, b->node);
	int e = r ? judge(in, r, b, hash, now_ns) : -EUSERS;
	bool may = !e;

	in->count[INTAKE_REPEATED] += e == 1;
	if (!e && in->store)
		e = in->store->ready(in->store->userdata);
	/* it is there, though nothing of it can be taken */
	if (e < 0 && may && is_of_life(in, r, b))
		r->last_seen_wall_ns = now_ns;
	if (!e && in->waiter_count == INTAKE_WAITERS_MAX)
		e = -EAGAIN;
	if (!e)
		e = take(in, r, b, hash, now_ns);
	if (e >= 0)
		e = answer_when_durable(in, b->definitions ? 0 : r->ticket, done, userdata);
	return e < 0 ? refuse(in, e) : 0;
}
