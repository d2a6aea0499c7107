/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/dns_queries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lru.h"

#define WAITING_MAX 4096
#define FLOWS_MAX   1024
#define TIMEOUT_NS  (DNS_TIMEOUT_S * 1000000000ull)
#define LATENCY_MAX UINT32_MAX

/* Compared as bytes. */
struct query_key {
	uint32_t netns;
	uint16_t port, client_port, id;
	uint8_t role, pad;
	uint8_t local[16], remote[16];
};

struct query {
	struct dns_datagram datagram;
	uint16_t type;
	char question[DNS_NAME_MAX + 1];
};

struct flow_figures {
	struct dns_datagram datagram;
	struct wire_dns figures;
};

struct dns_queries {
	struct lru *waiting; /* the longest waiting first */
	struct lru *flows;   /* by struct dns_flow */
	struct dns_queries_losses losses;
};

int dns_queries_new(struct dns_queries **ret, uint32_t waiting_max, uint32_t flows_max)
{
	struct dns_queries *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->waiting = lru_new(waiting_max ? waiting_max : WAITING_MAX, sizeof(struct query_key),
			     sizeof(struct query));
	q->flows = lru_new(flows_max ? flows_max : FLOWS_MAX, sizeof(struct dns_flow),
			   sizeof(struct flow_figures));
	if (!q->waiting || !q->flows) {
		dns_queries_free(q);
		return -ENOMEM;
	}
	*ret = q;
	return 0;
}

struct dns_queries *dns_queries_free(struct dns_queries *q)
{
	if (!q)
		return NULL;
	lru_free(q->waiting);
	lru_free(q->flows);
	free(q);
	return NULL;
}

/* NULL: no room. */
static struct wire_dns *figures_of(struct dns_queries *q, const struct dns_datagram *d)
{
	bool is_new;
	struct flow_figures *f = lru_put(q->flows, &d->flow, &is_new);

	if (!f) {
		q->losses.uncounted++;
		return NULL;
	}
	if (is_new)
		f->datagram = *d;
	return &f->figures;
}

static void count(struct dns_queries *q, const struct dns_datagram *d,
		  enum wire_dns_counter counter)
{
	struct wire_dns *figures = figures_of(q, d);

	if (figures)
		figures->counter[counter]++;
}

static struct query_key key_of(const struct dns_datagram *d, uint16_t id)
{
	struct query_key key = {.netns = d->seen.netns,
				.port = d->seen.port,
				.client_port = d->client_port,
				.id = id,
				.role = d->seen.role};

	memcpy(key.local, d->seen.local, sizeof(key.local));
	memcpy(key.remote, d->seen.remote, sizeof(key.remote));
	return key;
}

static void give_up(struct dns_queries *q, struct query *query)
{
	count(q, &query->datagram, WIRE_DNS_TIMEOUTS);
	lru_remove(q->waiting, query);
}

static void make_room(struct dns_queries *q)
{
	if (lru_count(q->waiting) < lru_capacity(q->waiting))
		return;
	lru_remove(q->waiting, lru_oldest(q->waiting));
	q->losses.forgotten++;
}

static void see_query(struct dns_queries *q, const struct dns_datagram *d,
		      const struct dns_message *m)
{
	struct query_key key = key_of(d, m->id);
	struct query *query = lru_get(q->waiting, &key);

	if (query)
		give_up(q, query); /* asked again: the first try was not answered */
	make_room(q);
	query = lru_put(q->waiting, &key, NULL);
	query->datagram = *d;
	query->type = m->question_type;
	memcpy(query->question, m->question, sizeof(query->question));
	count(q, d, WIRE_DNS_QUERIES);
}

/* NOERROR: none. */
static enum wire_dns_counter error_of(uint16_t rcode)
{
	static const enum wire_dns_counter codes[] = {
		WIRE_DNS_COUNT,    WIRE_DNS_FORMERR, WIRE_DNS_SERVFAIL,
		WIRE_DNS_NXDOMAIN, WIRE_DNS_NOTIMP,  WIRE_DNS_REFUSED,
	};

	return rcode < sizeof(codes) / sizeof(*codes) ? codes[rcode] : WIRE_DNS_OTHER;
}

/* Answers to queries that were not understood may come without the question. */
static bool answers(const struct query *query, const struct dns_message *m)
{
	if (!m->question[0] && m->rcode)
		return true;
	return query->type == m->question_type && !strcmp(query->question, m->question);
}

static bool see_answer(struct dns_queries *q, const struct dns_datagram *d,
		       const struct dns_message *m)
{
	struct query_key key = key_of(d, m->id);
	struct query *query = lru_get(q->waiting, &key);
	enum wire_dns_counter error = error_of(m->rcode);
	struct wire_dns *figures;
	uint64_t latency_us;

	if (!query || !answers(query, m)) {
		q->losses.unasked++;
		return false;
	}
	latency_us = d->time_ns > query->datagram.time_ns
			     ? (d->time_ns - query->datagram.time_ns) / 1000
			     : 0;
	figures = figures_of(q, &query->datagram);
	lru_remove(q->waiting, query);
	if (!figures)
		return true;
	figures->counter[WIRE_DNS_ANSWERS]++;
	if (error != WIRE_DNS_COUNT)
		figures->counter[error]++;
	histogram_add(&figures->latency_us,
		      latency_us < LATENCY_MAX ? (uint32_t)latency_us : LATENCY_MAX);
	return true;
}

bool dns_queries_see(struct dns_queries *q, const struct dns_datagram *d,
		     const struct dns_message *m)
{
	if (m->is_answer != d->to_client)
		return false; /* somebody who does not speak DNS as it is spoken */
	if (m->is_answer)
		return see_answer(q, d, m);
	see_query(q, d, m);
	return false;
}

/* By time, but for queries that a wrong answer touched: those wait a little longer. */
void dns_queries_expire(struct dns_queries *q, uint64_t now_ns)
{
	struct query *query;

	while ((query = lru_oldest(q->waiting)) && now_ns > query->datagram.time_ns &&
	       now_ns - query->datagram.time_ns > TIMEOUT_NS)
		give_up(q, query);
}

void dns_queries_drain(struct dns_queries *q, dns_flow_fn fn, void *userdata)
{
	struct flow_figures *f;

	while ((f = lru_oldest(q->flows))) {
		fn(userdata, &f->datagram, &f->figures);
		lru_remove(q->flows, f);
	}
}

void dns_queries_losses(const struct dns_queries *q, struct dns_queries_losses *ret)
{
	*ret = q->losses;
}
