/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/nat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lru.h"

#define ENTRIES_MAX 65536

/* A connection as one of its sockets has it. Compared as bytes: pad is 0. */
struct view {
	uint8_t local[16], remote[16];
	uint32_t netns; /* where an address means something only there; else 0 */
	uint16_t local_port, remote_port;
	uint8_t role, transport, pad[2];
};

/* What a view becomes on the way. */
struct way {
	struct view next;
	struct nat_place place; /* where that was seen, origin with the zone */
	uint64_t changed;       /* window in which it last meant something else; 0: never */
	uint64_t over;          /* window in which the kernel forgot it; 0: it has not */
	bool ambiguous;         /* another namespace says something else: good for its own only */
	bool queued;            /* stands among the leaving */
};

struct nat {
	struct nat_config config;
	struct lru *ways;     /* view ─► way */
	struct lru *virtuals; /* struct mr_virtual */
	uint32_t *leaving;    /* ring of places in ways that may be over */
	size_t leaving_max, leaving_first, leaving_count;
	uint64_t window, lost_full;
};

int nat_new(struct nat **ret, const struct nat_config *config)
{
	struct nat *n = calloc(1, sizeof(*n));
	uint32_t entries = config->entries_max ? config->entries_max : ENTRIES_MAX;
	uint32_t virtuals = config->virtuals_max ? config->virtuals_max : NAT_VIRTUALS_MAX;

	if (!n)
		return -ENOMEM;
	n->config = *config;
	n->window = 1;
	n->leaving_max = 2 * (size_t)entries;
	n->ways = lru_new(n->leaving_max, sizeof(struct view), sizeof(struct way));
	n->virtuals = lru_new(virtuals, sizeof(struct mr_virtual), 1);
	n->leaving = calloc(n->leaving_max, sizeof(*n->leaving));
	if (!n->ways || !n->virtuals || !n->leaving) {
		nat_free(n);
		return -ENOMEM;
	}
	*ret = n;
	return 0;
}

struct nat *nat_free(struct nat *n)
{
	if (!n)
		return NULL;
	lru_free(n->ways);
	lru_free(n->virtuals);
	free(n->leaving);
	free(n);
	return NULL;
}

/* Views */

static bool is_loopback(const uint8_t address[16])
{
	static const uint8_t mapped[13] = {[10] = 0xff, 0xff, 127};
	static const uint8_t v6[16] = {[15] = 1};

	return !memcmp(address, mapped, sizeof(mapped)) || !memcmp(address, v6, sizeof(v6));
}

static bool is_of_one_netns(const struct view *v)
{
	return is_loopback(v->local) || is_loopback(v->remote);
}

/* From: who has the socket. */
static struct view view_of(const struct conntrack_entry *e, uint8_t role,
			   const struct conntrack_tuple *from)
{
	struct view v = {.local_port = from->source_port,
			 .remote_port = from->destination_port,
			 .role = role,
			 .transport = e->transport};

	memcpy(v.local, from->source, 16);
	memcpy(v.remote, from->destination, 16);
	return v;
}

static struct conntrack_tuple turned(const struct conntrack_tuple *t)
{
	struct conntrack_tuple r = {.source_port = t->destination_port,
				    .destination_port = t->source_port};

	memcpy(r.source, t->destination, 16);
	memcpy(r.destination, t->source, 16);
	return r;
}

static struct view view_of_key(const struct mr_flow_key *key)
{
	bool client = key->role == MR_ROLE_CLIENT;
	struct view v = {.local_port = client ? key->ephemeral : key->port,
			 .remote_port = client ? key->port : key->ephemeral,
			 .role = key->role,
			 .transport = key->transport};

	memcpy(v.local, key->local, 16);
	memcpy(v.remote, key->remote, 16);
	return v;
}

/* Virtual addresses */

static struct mr_virtual virtual_of_view(const struct view *v)
{
	struct mr_virtual virtual = {.role = v->role, .transport = v->transport};

	virtual.port = v->role == MR_ROLE_CLIENT ? v->remote_port : v->local_port;
	memcpy(virtual.address, v->remote, 16);
	return virtual;
}

static void virtual_tell(const struct nat *n, const struct mr_virtual *virtual, bool is_virtual)
{
	if (n->config.virtual)
		n->config.virtual(n->config.userdata, virtual, is_virtual);
}

static void virtual_note(struct nat *n, const struct view *v)
{
	const struct mr_virtual virtual = virtual_of_view(v);
	void *oldest;

	if (lru_get(n->virtuals, &virtual))
		return;
	if (lru_count(n->virtuals) == lru_capacity(n->virtuals)) {
		oldest = lru_oldest(n->virtuals);
		virtual_tell(n, lru_key(n->virtuals, oldest), false);
		lru_remove(n->virtuals, oldest);
		n->lost_full++;
	}
	lru_put(n->virtuals, &virtual, NULL);
	virtual_tell(n, &virtual, true);
}

bool nat_is_virtual(const struct nat *n, const struct mr_flow_key *key)
{
	const struct view v = view_of_key(key);
	const struct mr_virtual virtual = virtual_of_view(&v);

	return lru_get(n->virtuals, &virtual);
}

size_t nat_virtuals(const struct nat *n, struct mr_virtual *ret, size_t max)
{
	size_t count = 0;

	for (void *v = lru_oldest(n->virtuals); v && count < max; v = lru_newer(n->virtuals, v))
		ret[count++] = *(const struct mr_virtual *)lru_key(n->virtuals, v);
	return count;
}

/* Entries */

static struct way *way_put(struct nat *n, const struct view *view, bool *ret_new)
{
	struct way *w = lru_get(n->ways, view);

	*ret_new = !w;
	if (w)
		return w;
	if (lru_count(n->ways) == lru_capacity(n->ways)) {
		w = lru_oldest(n->ways);
		n->lost_full += !w->over;
	}
	return lru_put_evict(n->ways, view, NULL);
}

static struct view view_in(const struct view *view, uint32_t netns)
{
	struct view v = *view;

	v.netns = netns;
	return v;
}

/* What w says is about to be replaced: that may be, if it is over or both are of one mind or place.
 */
static bool may_replace(const struct way *w, const struct view *to, const struct nat_place *place)
{
	return !w || w->over || w->place.origin == place->origin ||
	       !memcmp(&w->next, to, sizeof(*to));
}

/* Where an entry is written down: for all namespaces, unless what stands there for them is alive
 * and of another one; then for its own, and of neither can others be sure. NULL: nowhere, since its
 * own sockets cannot tell either (zones). */
static struct way *way_for(struct nat *n, const struct view *from, const struct view *to,
			   const struct nat_place *place, bool *ret_new)
{
	const struct view own = view_in(from, place->netns);
	const bool is_apart = memcmp(&own, from, sizeof(own)) != 0;
	struct way *w = is_apart ? lru_get(n->ways, &own) : NULL;
	const struct view *at = w ? &own : from;

	if (!w)
		w = lru_get(n->ways, from);
	if (may_replace(w, to, place))
		return way_put(n, at, ret_new);
	w->ambiguous = true;
	if (is_apart && at == from && w->place.netns != place->netns)
		return way_put(n, &own, ret_new);
	w->place.netns = 0;
	return NULL;
}

static void way_note(struct nat *n, const struct view *from, const struct view *to,
		     const struct nat_place *place)
{
	bool is_new;
	struct way *w = way_for(n, from, to, place, &is_new);

	if (!w)
		return;
	if (!is_new && memcmp(&w->next, to, sizeof(*to)) != 0)
		w->changed = n->window;
	w->next = *to;
	if (!w->ambiguous || w->place.netns)
		w->place = *place;
	w->over = 0;
}

/* What came in its place stays. */
static void way_end(struct nat *n, const struct view *from, const struct view *to)
{
	struct way *w = lru_get(n->ways, from);
	size_t last = n->leaving_first + n->leaving_count;

	if (!w || memcmp(&w->next, to, sizeof(*to)) != 0)
		return;
	w->over = n->window;
	if (w->queued || n->leaving_count == n->leaving_max)
		return;
	w->queued = true;
	n->leaving[last % n->leaving_max] = lru_index(n->ways, w);
	n->leaving_count++;
}

/* Both tuples of a namespace that is not known may mean something there only: then they are of no
 * use to anyone. */
static bool set_netns(struct view *v, uint32_t netns)
{
	if (!is_of_one_netns(v))
		return true;
	v->netns = netns;
	return netns != 0;
}

static void note(struct nat *n, const struct conntrack_entry *e, const struct nat_place *place,
		 struct view from, struct view to)
{
	const struct nat_place in_zone = {.netns = place->netns,
					  .origin = place->origin + ((uint32_t)e->zone << 16)};
	struct view own;

	if (!set_netns(&from, place->netns))
		return;
	own = view_in(&from, place->netns);
	if (e->over && memcmp(&own, &from, sizeof(own)))
		way_end(n, &own, &to);
	if (e->over)
		way_end(n, &from, &to);
	else
		way_note(n, &from, &to, &in_zone);
	if (!e->over && (memcmp(from.remote, to.remote, 16) || from.remote_port != to.remote_port))
		virtual_note(n, &from);
}

void nat_note(struct nat *n, const struct conntrack_entry *e, const struct nat_place *place)
{
	const struct conntrack_tuple sent = turned(&e->reply), answered = turned(&e->original);

	note(n, e, place, view_of(e, MR_ROLE_CLIENT, &e->original),
	     view_of(e, MR_ROLE_CLIENT, &sent));
	note(n, e, place, view_of(e, MR_ROLE_SERVER, &e->reply),
	     view_of(e, MR_ROLE_SERVER, &answered));
}

/* One that lives again, or is over for a shorter time, waits for another turn. */
static void let_go(struct nat *n, struct way *w)
{
	size_t last;

	w->queued = false;
	if (!w->over)
		return;
	if (w->over + NAT_LINGER_WINDOWS < n->window) {
		lru_remove(n->ways, w);
		return;
	}
	last = n->leaving_first + n->leaving_count++;
	n->leaving[last % n->leaving_max] = lru_index(n->ways, w);
	w->queued = true;
}

void nat_advance(struct nat *n)
{
	size_t count = n->leaving_count;
	struct way *w;

	n->window++;
	while (count--) {
		w = lru_at(n->ways, n->leaving[n->leaving_first]);
		n->leaving_first = (n->leaving_first + 1) % n->leaving_max;
		n->leaving_count--;
		if (w && w->queued)
			let_go(n, w);
	}
}

/* Answers */

/* Rows of the window that ended may be older than the change, and of the one before, too: it is
 * heard of some time after the kernel's maps were swapped. */
static bool is_sure(const struct nat *n, const struct way *w, uint32_t netns)
{
	return (!w->ambiguous || (netns && w->place.netns == netns)) &&
	       (!w->changed || n->window - w->changed > 2);
}

/* What the row's own namespace says, if that differs from the others or only there is meant. */
static struct way *way_find(struct nat *n, const struct view *view, uint32_t netns)
{
	const struct view own = view_in(view, netns);
	struct way *w = lru_get(n->ways, &own);

	return w || is_of_one_netns(view) ? w : lru_get(n->ways, view);
}

static bool follow(struct nat *n, const struct mr_flow_key *key, struct view *ret_end)
{
	struct view at = view_of_key(key);
	struct way *w;
	int hops = 0;

	while (hops < NAT_HOPS_MAX && (w = way_find(n, &at, key->netns))) {
		if (!is_sure(n, w, key->netns))
			return false;
		at = w->next;
		hops++;
	}
	*ret_end = at;
	return hops > 0;
}

/* A client asked for its own remote end; of a server's client the last hop says it. */
static void answer_via(const struct mr_flow_key *key, const struct view *end,
		       struct nat_answer *ret)
{
	bool client = key->role == MR_ROLE_CLIENT;
	const uint8_t *asked = client ? key->remote : end->local;
	const uint8_t *serves = client ? end->remote : key->local;
	uint16_t asked_port = client ? key->port : end->local_port;

	if (!memcmp(asked, serves, 16) && asked_port == ret->port)
		return;
	memcpy(ret->via, asked, 16);
	ret->via_port = asked_port;
}

bool nat_find(struct nat *n, const struct mr_flow_key *key, struct nat_answer *ret)
{
	struct nat_answer answer = {0};
	struct view end;

	if (!follow(n, key, &end))
		return false;
	answer.port = key->role == MR_ROLE_CLIENT ? end.remote_port : key->port;
	memcpy(answer.remote, end.remote, 16);
	answer_via(key, &end, &answer);
	*ret = answer;
	return true;
}

uint64_t nat_lost_full(const struct nat *n)
{
	return n->lost_full;
}

size_t nat_count(const struct nat *n)
{
	return lru_count(n->ways);
}
