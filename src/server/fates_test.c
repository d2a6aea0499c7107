/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: whatever becomes of agents (killed, cut off, back) and in whatever order their batches
 * come, what counts is what was told, each second once. Three hosts that all call each other, from
 * seeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/core.h"
#include "server/world_for_test.h"

static uint64_t to_server(const struct query_edge *e)
{
	return e->measures.counter[MR_BYTES_TO_SERVER];
}

/* --- orders of arrival ------------------------------------------------------------------------ */

#define HOSTS   3
#define SECONDS 40

static uint64_t state_random;

static uint64_t random64(void)
{
	state_random ^= state_random << 13;
	state_random ^= state_random >> 7;
	state_random ^= state_random << 17;
	return state_random;
}

static void define_mesh(struct world *w, unsigned int host)
{
	char address[HOSTS][32], unit[32];

	for (unsigned int h = 0; h < HOSTS; h++)
		snprintf(address[h], sizeof(address[h]), "10.0.0.%u", h + 1);
	snprintf(unit, sizeof(unit), "s%u.service", host);
	world_actor(w, 1, "app", unit);
	world_cover(w, 0, address[host]);
	for (unsigned int h = 0; h < HOSTS; h++) {
		if (h == host)
			continue;
		world_client(w, 1 + h, 1, 100, address[host], address[h], 80);
		world_server(w, 11 + h, 1, 100, address[host], address[h], 80);
	}
}

/* Each second host i sends 100 i + j bytes to host j. One host is killed and comes back. */
static struct wire_batch *mesh_second(struct world *w, unsigned int host)
{
	for (unsigned int h = 0; h < HOSTS; h++) {
		if (h == host)
			continue;
		world_update(w, 1 + h)->counter[MR_BYTES_TO_SERVER] = 100 * (host + 1) + h;
		world_update(w, 11 + h)->counter[MR_BYTES_TO_SERVER] = 100 * (h + 1) + host;
	}
	return world_freeze(w);
}

struct parcel {
	struct wire_batch *batch;
	struct world *from;
	bool sent;
};

/* Sends what was frozen, in an order of the seed's choice: of each agent its own order. */
static void deliver_all(struct parcel *parcels, size_t count)
{
	size_t left = count;

	while (left) {
		size_t i = random64() % count;

		for (size_t k = 0; k < i; k++)
			if (parcels[k].from == parcels[i].from && !parcels[k].sent)
				i = k;
		if (parcels[i].sent)
			continue;
		parcels[i].batch->sent_ns = parcels[i].from->now_ns;
		assert_int_equal(core_ingest(parcels[i].from->core, parcels[i].batch,
					     world_wall(parcels[i].from)),
				 0);
		parcels[i].sent = true;
		left--;
	}
}

/* Everything that is told of the mesh, as text. */
static void play(uint64_t seed, char *out, size_t size)
{
	static const char *const nodes[HOSTS] = {"n0", "n1", "n2"};
	struct parcel parcels[HOSTS * SECONDS];
	struct world hosts[HOSTS];
	struct query_graph g;
	size_t count = 0, used = 0;

	state_random = seed;
	world_init(&hosts[0], NULL);
	hosts[0].node = hosts[0].boot_id = nodes[0];
	for (unsigned int h = 1; h < HOSTS; h++)
		world_join(&hosts[h], &hosts[0], nodes[h]);
	for (unsigned int s = 0; s < SECONDS; s++)
		for (unsigned int h = 0; h < HOSTS; h++) {
			bool dead = h == 1 && s >= 10 && s < 20;
			struct wire_batch *b;

			if (s == 0 || (h == 1 && s == 20))
				define_mesh(&hosts[h], h);
			if (h == 1 && s == 20) { /* a new life */
				hosts[h].started_ns = hosts[h].now_ns;
				hosts[h].sequence = 0;
			}
			b = mesh_second(&hosts[h], h);
			if (dead)
				wire_batch_free(b);
			else
				parcels[count++] = (struct parcel){b, &hosts[h], false};
		}
	deliver_all(parcels, count);
	g = world_graph(&hosts[0], 0, "workload", NULL);
	for (size_t i = 0; i < g.edge_count; i++)
		used += (size_t)snprintf(out + used, size - used, "%s %lu %s\n", g.edges[i].id,
					 (unsigned long)to_server(&g.edges[i]),
					 g.edges[i].provisional ? "provisional" : "");
	for (size_t i = 0; i < count; i++)
		wire_batch_free(parcels[i].batch);
	for (unsigned int h = HOSTS; h--;)
		world_done(&hosts[h]);
}

static void test_any_order_gives_the_same_answer(void **state)
{
	char first[4096], other[4096];

	play(1, first, sizeof(first));
	/* while n1 was dead others told what it sent, and nobody what it would have received */
	assert_non_null(strstr(first, "service/s0|service/s1|tcp/80 4040 \n"));
	assert_non_null(strstr(first, "service/s1|service/s0|tcp/80 8000 \n"));
	assert_non_null(strstr(first, "service/s0|service/s2|tcp/80 4080 \n"));
	for (uint64_t seed = 2; seed < 30; seed++) {
		play(seed * 0x9e3779b97f4a7c15, other, sizeof(other));
		assert_string_equal(first, other);
	}
}

/* --- any fate of agents ----------------------------------------------------------------------- */

/* A window that an agent told, in tenths of seconds; bytes to and from each other host. Hosts'
 * seconds do not begin together. */
struct told {
	unsigned int from, to, life;
	uint64_t out[HOSTS], in[HOSTS];
};

struct fate {
	struct told told[SECONDS];
	size_t count;
	unsigned int life, waiting; /* seconds that wait while it is cut off */
	bool dead, cut, defined;
};

static uint64_t bytes_in(unsigned int from, unsigned int to, unsigned int second)
{
	return 1000 * second + 100 * from + to + 1;
}

/* The seconds that waited, as one window. */
static struct wire_batch *tell(struct world *w, unsigned int host, struct fate *f, unsigned int end)
{
	struct told *t = &f->told[f->count++];
	struct wire_batch *b;

	*t = (struct told){.from = 10 * (end - f->waiting) + 3 * host,
			   .to = 10 * end + 3 * host,
			   .life = f->life};
	if (!f->defined)
		define_mesh(w, host);
	f->defined = true;
	for (unsigned int h = 0; h < HOSTS; h++) {
		for (unsigned int s = end - f->waiting; h != host && s < end; s++) {
			t->out[h] += bytes_in(host, h, s);
			t->in[h] += bytes_in(h, host, s);
		}
		if (h == host)
			continue;
		world_update(w, 1 + h)->counter[MR_BYTES_TO_SERVER] = t->out[h];
		world_update(w, 11 + h)->counter[MR_BYTES_TO_SERVER] = t->in[h];
	}
	w->window_ns = f->waiting * WORLD_SECOND;
	b = world_freeze(w);
	b->windows = f->waiting;
	f->waiting = 0;
	return b;
}

/* One second of a host; NULL: nothing is told. */
static struct wire_batch *live(struct world *w, unsigned int host, struct fate *f, unsigned int s)
{
	if (f->dead && random64() % 8 == 0) { /* it comes back */
		f->dead = f->cut = f->defined = false;
		f->life++;
		w->started_ns = w->now_ns;
		w->sequence = 0;
	} else if (!f->dead && s && random64() % 12 == 0) { /* killed, with all that waits */
		world_pass(w, f->waiting);
		f->waiting = 0;
		f->dead = true;
	}
	if (f->dead) {
		world_pass(w, 1);
		return NULL;
	}
	f->waiting++;
	f->cut = s && (f->cut ? random64() % 4 != 0 : random64() % 10 == 0);
	return f->cut ? NULL : tell(w, host, f, s + 1);
}

/* Whether a span lies wholly outside of every life. */
static bool is_in_gap(const struct fate *f, const struct told *span)
{
	for (unsigned int life = 0; life <= f->life; life++) {
		unsigned int from = UINT32_MAX, to = 0;

		for (size_t k = 0; k < f->count; k++) {
			if (f->told[k].life != life)
				continue;
			from = f->told[k].from < from ? f->told[k].from : from;
			to = f->told[k].to;
		}
		if (span->from < to && span->to > from)
			return false;
	}
	return true;
}

/* What counts of the bytes from one host to another: what the client's agent told, and what the
 * server's told of the client's gaps. */
static uint64_t expected(const struct fate *fates, unsigned int client, unsigned int server)
{
	uint64_t bytes = 0;

	for (size_t k = 0; k < fates[client].count; k++)
		bytes += fates[client].told[k].out[server];
	for (size_t k = 0; k < fates[server].count; k++)
		if (is_in_gap(&fates[client], &fates[server].told[k]))
			bytes += fates[server].told[k].in[client];
	return bytes;
}

static void assert_mesh(struct world *w, const struct fate *fates)
{
	struct query_graph g = world_graph(w, 0, "workload", NULL);
	char id[64];

	for (unsigned int c = 0; c < HOSTS; c++)
		for (unsigned int s = 0; s < HOSTS; s++) {
			const struct query_edge *e = NULL;

			if (c == s)
				continue;
			snprintf(id, sizeof(id), "service/s%u|service/s%u|tcp/80", c, s);
			for (size_t i = 0; i < g.edge_count; i++)
				if (!strcmp(g.edges[i].id, id))
					e = &g.edges[i];
			assert_non_null(e);
			assert_int_equal(to_server(e), expected(fates, c, s));
		}
}

static void live_through(uint64_t seed)
{
	static const char *const nodes[HOSTS] = {"n0", "n1", "n2"};
	struct parcel parcels[HOSTS * SECONDS];
	struct fate fates[HOSTS] = {0};
	struct world hosts[HOSTS], witness;
	size_t count = 0;

	state_random = seed;
	world_init(&hosts[0], NULL);
	hosts[0].node = hosts[0].boot_id = nodes[0];
	for (unsigned int h = 1; h < HOSTS; h++)
		world_join(&hosts[h], &hosts[0], nodes[h]);
	world_join(&witness, &hosts[0], "witness");
	for (unsigned int h = 0; h < HOSTS; h++)
		world_pass(&hosts[h], 0.3 * h);
	for (unsigned int s = 0; s < SECONDS; s++)
		for (unsigned int h = 0; h < HOSTS; h++) {
			struct wire_batch *b = live(&hosts[h], h, &fates[h], s);

			if (b)
				parcels[count++] = (struct parcel){b, &hosts[h], false};
		}
	for (unsigned int h = 0; h < HOSTS; h++) /* all are heard of at one moment */
		world_pass(&hosts[h], fates[h].waiting + 1 - 0.3 * h);
	deliver_all(parcels, count);
	world_pass(&witness, SECONDS + 1000);
	world_send(&witness); /* history merges, and everybody is gone */
	assert_int_equal(witness.core->history.fine.count, 1);
	assert_mesh(&witness, fates);
	for (size_t i = 0; i < count; i++)
		wire_batch_free(parcels[i].batch);
	world_done(&witness);
	for (unsigned int h = HOSTS; h--;)
		world_done(&hosts[h]);
}

/* Killed, cut off, back, in any order: what counts is what was told, each second once. */
static void test_any_fate_of_agents(void **state)
{
	for (uint64_t seed = 1; seed < 200; seed++)
		live_through(seed * 0x9e3779b97f4a7c15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_order_gives_the_same_answer),
		cmocka_unit_test(test_any_fate_of_agents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
