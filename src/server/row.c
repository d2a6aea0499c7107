/* SPDX-License-Identifier: Apache-2.0 */
/* See row.h. */
#include "server/row.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/numbers.h"

#define COLUMN_RTT          WIRE_PART_RTT
#define COLUMN_CONNECT      WIRE_PART_CONNECT
#define COLUMN_DNS          WIRE_PART_DNS
#define COLUMN_DROPS        WIRE_PART_DROPS
#define COLUMN_ACTIVE_LOST  4 /* never on the wire; kept free there */
#define COLUMN_PENDING_LOST 5
#define COUNTERS_BEGIN      8
#define MASK_BYTES          6
#define DNS_LATENCY         0 /* a bit of DNS's own mask; its counters have their numbers */

#define COLUMN(id, n) [MR_##id] = n,
static const uint8_t column_of_counter[] = {WIRE_COUNTER_NUMBERS(COLUMN)};
#define FITS(id, n) &&n < MASK_BYTES * 8 && n >= COUNTERS_BEGIN
_Static_assert(1 WIRE_COUNTER_NUMBERS(FITS), "the mask of columns has a bit for each");

#define VARINT_MAX 10
/* A row at its largest: flow, mask, columns, DNS's mask and counters, three histograms of four
 * numbers and all buckets. */
#define ROW_MAX                                                                                    \
	(VARINT_MAX *                                                                              \
		 (1 + MR_COUNTER_COUNT + 2 + WIRE_DNS_COUNT + 1 + 1 + 2 * DROPS_MAX + 3 * 4) +     \
	 MASK_BYTES + 3 * HISTOGRAM_BUCKETS * (1 + 5))

int64_t counters_active(const uint64_t *counter)
{
	return (int64_t)(counter[MR_ADOPTED] + counter[MR_OPENED] - counter[MR_CLOSED]);
}

static uint64_t counters_failed(const uint64_t *counter)
{
	uint64_t failed = 0;

	for (unsigned int i = MR_FAILED_REFUSED; i <= MR_FAILED_OTHER; i++)
		failed += counter[i];
	return failed;
}

int64_t counters_pending(const uint64_t *counter, bool client)
{
	if (!client)
		return 0;
	return (int64_t)(counter[MR_ATTEMPTED] - counter[MR_OPENED] - counters_failed(counter));
}

int64_t sums_active(const struct sums *s)
{
	return counters_active(s->counter) - s->active_lost;
}

int64_t sums_pending(const struct sums *s, bool client)
{
	return client ? counters_pending(s->counter, client) - s->pending_lost : 0;
}

uint64_t sums_failed(const struct sums *s)
{
	return counters_failed(s->counter);
}

static inline uint64_t zigzag(uint64_t v)
{
	return v << 1 ^ (0 - (v >> 63));
}

static inline uint64_t unzigzag(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

static inline uint8_t *put(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)v | 0x80;
	*p++ = (uint8_t)v;
	return p;
}

static inline const uint8_t *get(const uint8_t *p, uint64_t *ret)
{
	uint64_t v = *p & 0x7f;
	unsigned int shift = 7;

	for (; *p++ & 0x80; shift += 7)
		v |= (uint64_t)(*p & 0x7f) << shift;
	*ret = v;
	return p;
}

static int reserve(struct row_writer *w, size_t size)
{
	size_t capacity = w->capacity ? w->capacity : 1024;
	uint8_t *data;

	if (w->capacity - w->size >= size)
		return 0;
	while (capacity - w->size < size)
		capacity *= 2;
	data = realloc(w->data, capacity);
	if (!data)
		return -ENOMEM;
	w->data = data;
	w->capacity = capacity;
	return 0;
}

int row_write_number(struct row_writer *w, uint64_t number)
{
	int r = reserve(w, VARINT_MAX);

	if (!r)
		w->size = put(w->data + w->size, number) - w->data;
	return r;
}

uint8_t *row_shrink(struct row_writer *w)
{
	uint8_t *data = realloc(w->data, w->size);

	if (data)
		w->data = data;
	return w->data;
}

/* Which buckets are not empty; most are, so four are looked at at once. */
static unsigned int used_buckets(const struct histogram *h, uint8_t ret[HISTOGRAM_BUCKETS])
{
	unsigned int count = 0;
	uint64_t four[2];

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i += 4) {
		memcpy(four, &h->bucket[i], sizeof(four));
		if (!(four[0] | four[1]))
			continue;
		for (unsigned int k = i; k < i + 4; k++)
			if (h->bucket[k])
				ret[count++] = (uint8_t)k;
	}
	return count;
}
_Static_assert(HISTOGRAM_BUCKETS % 4 == 0, "used_buckets looks at four at once");

static uint8_t *put_histogram(uint8_t *p, const struct histogram *h)
{
	uint8_t used[HISTOGRAM_BUCKETS];
	unsigned int count = used_buckets(h, used), next = 0;

	p = put(p, h->sum);
	p = put(p, h->min);
	p = put(p, (uint32_t)(h->max - h->min));
	p = put(p, count);
	for (unsigned int i = 0; i < count; i++) {
		p = put(p, used[i] - next);
		p = put(p, h->bucket[used[i]]);
		next = used[i] + 1u;
	}
	return p;
}

static uint64_t dns_mask(const struct wire_dns *dns)
{
	uint64_t mask = (uint64_t)(dns->latency_us.count != 0) << DNS_LATENCY;

	for (unsigned int i = 0; i < WIRE_DNS_COUNT; i++)
		mask |= (uint64_t)(dns->counter[i] != 0) << wire_dns_numbers.number[i];
	return mask;
}

static uint8_t *put_dns(uint8_t *p, const struct wire_dns *dns)
{
	p = put(p, dns_mask(dns));
	for (unsigned int i = 0; i < WIRE_DNS_COUNT; i++)
		if (dns->counter[i])
			p = put(p, dns->counter[i]);
	return dns->latency_us.count ? put_histogram(p, &dns->latency_us) : p;
}

static uint8_t *put_drops(uint8_t *p, const struct drops *drops)
{
	p = put(p, drops->used);
	for (uint32_t i = 0; i < drops->used; i++) {
		p = put(p, drops->item[i].reason);
		p = put(p, drops->item[i].count);
	}
	return p;
}

static uint64_t columns_of(const struct row_source *s)
{
	uint64_t mask = 0;

	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		mask |= (uint64_t)(s->counter[i] != 0) << column_of_counter[i];
	mask |= (uint64_t)(s->active_lost != 0) << COLUMN_ACTIVE_LOST;
	mask |= (uint64_t)(s->pending_lost != 0) << COLUMN_PENDING_LOST;
	mask |= (uint64_t)(s->rtt_us && s->rtt_us->count) << COLUMN_RTT;
	mask |= (uint64_t)(s->connect_us && s->connect_us->count) << COLUMN_CONNECT;
	mask |= (uint64_t)(s->dns && dns_mask(s->dns)) << COLUMN_DNS;
	mask |= (uint64_t)(s->drops && s->drops->used) << COLUMN_DROPS;
	return mask;
}

struct row_source sums_source(const struct sums *s)
{
	return (struct row_source){s->counter,    s->active_lost, s->pending_lost, s->rtt_us,
				   s->connect_us, s->dns,         s->drops};
}

static uint8_t *put_source(uint8_t *p, const struct row_source *s)
{
	uint64_t mask = columns_of(s);

	for (unsigned int i = 0; i < MASK_BYTES; i++)
		*p++ = (uint8_t)(mask >> 8 * i);
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		if (s->counter[i])
			p = put(p, zigzag(s->counter[i]));
	if (s->active_lost)
		p = put(p, zigzag((uint64_t)s->active_lost));
	if (s->pending_lost)
		p = put(p, zigzag((uint64_t)s->pending_lost));
	if (mask >> COLUMN_RTT & 1)
		p = put_histogram(p, s->rtt_us);
	if (mask >> COLUMN_CONNECT & 1)
		p = put_histogram(p, s->connect_us);
	if (mask >> COLUMN_DNS & 1)
		p = put_dns(p, s->dns);
	return mask >> COLUMN_DROPS & 1 ? put_drops(p, s->drops) : p;
}

int row_write(struct row_writer *w, uint64_t flow, const struct row_source *s)
{
	int r = reserve(w, ROW_MAX);

	if (r < 0)
		return r;
	w->size = put_source(put(w->data + w->size, zigzag(flow - w->flow_before)), s) - w->data;
	w->flow_before = flow;
	return 0;
}

int row_write_sums(struct row_writer *w, const struct row_source *s)
{
	int r = reserve(w, ROW_MAX);

	if (!r)
		w->size = put_source(w->data + w->size, s) - w->data;
	return r;
}

int row_write_bytes(struct row_writer *w, const uint8_t *bytes, size_t size)
{
	int r = size ? reserve(w, size) : 0;

	if (r < 0 || !size)
		return r;
	memcpy(w->data + w->size, bytes, size);
	w->size += size;
	return 0;
}

uint64_t row_read_number(struct row_reader *r)
{
	uint64_t v;

	r->at = get(r->at, &v);
	return v;
}

uint64_t row_flow(struct row_reader *r)
{
	uint64_t delta;

	r->at = get(r->at, &delta);
	r->flow_before += unzigzag(delta);
	return r->flow_before;
}

static const uint8_t *add_histogram(const uint8_t *p, struct histogram *h)
{
	uint64_t sum, min, spread, used, skip, n;
	unsigned int i = 0;

	p = get(p, &sum);
	p = get(p, &min);
	p = get(p, &spread);
	p = get(p, &used);
	if (!h->count || min < h->min)
		h->min = (uint32_t)min;
	if (!h->count || min + spread > h->max)
		h->max = (uint32_t)(min + spread);
	h->sum += sum;
	while (used--) {
		p = get(p, &skip);
		p = get(p, &n);
		i += (unsigned int)skip;
		h->bucket[i++] += (uint32_t)n;
		h->count += n;
	}
	return p;
}

static const uint8_t *add_dns(const uint8_t *p, struct wire_dns *into)
{
	uint64_t mask, v;

	p = get(p, &mask);
	for (unsigned int i = 0; i < WIRE_DNS_COUNT; i++) {
		if (!(mask >> wire_dns_numbers.number[i] & 1))
			continue;
		p = get(p, &v);
		into->counter[i] += v;
	}
	return mask >> DNS_LATENCY & 1 ? add_histogram(p, &into->latency_us) : p;
}

static const uint8_t *add_drops(const uint8_t *p, struct drops *into)
{
	uint64_t used, reason, count;

	p = get(p, &used);
	while (used--) {
		p = get(p, &reason);
		p = get(p, &count);
		drops_add(into, (uint16_t)reason, count);
	}
	return p;
}

static uint64_t read_mask(const uint8_t *p)
{
	uint64_t mask = 0;

	for (unsigned int i = 0; i < MASK_BYTES; i++)
		mask |= (uint64_t)p[i] << 8 * i;
	return mask;
}

/* Counters in the order of their numbers, which is that of their places. */
static const uint8_t *add_counters(const uint8_t *p, uint64_t mask, struct sums *into)
{
	const uint8_t *place = wire_counter_numbers.place;
	unsigned int known;
	uint64_t v;

	mask &= ~UINT64_C(0) << COUNTERS_BEGIN;
	for (; mask; mask &= mask - 1) {
		p = get(p, &v);
		known = place[__builtin_ctzll(mask)];
		if (known)
			into->counter[known - 1] += unzigzag(v);
	}
	return p;
}

static const uint8_t *add_plain(const uint8_t *p, uint64_t mask, struct sums *into)
{
	uint64_t v;

	p = add_counters(p, mask, into);

	if (mask >> COLUMN_ACTIVE_LOST & 1) {
		p = get(p, &v);
		into->active_lost += (int64_t)unzigzag(v);
	}
	if (mask >> COLUMN_PENDING_LOST & 1) {
		p = get(p, &v);
		into->pending_lost += (int64_t)unzigzag(v);
	}
	return p;
}

/* A member of sums, made where the row has it and it is not there yet. */
#define MAKE(member, arena) ((member) || ((member) = arena_alloc(arena, sizeof(*(member)))))

int row_add(struct row_reader *r, struct sums *into, struct arena *arena)
{
	uint64_t mask = read_mask(r->at);
	const uint8_t *p = add_plain(r->at + MASK_BYTES, mask, into);

	if (mask >> COLUMN_RTT & 1) {
		if (!MAKE(into->rtt_us, arena))
			return -ENOMEM;
		p = add_histogram(p, into->rtt_us);
	}
	if (mask >> COLUMN_CONNECT & 1) {
		if (!MAKE(into->connect_us, arena))
			return -ENOMEM;
		p = add_histogram(p, into->connect_us);
	}
	if (mask >> COLUMN_DNS & 1) {
		if (!MAKE(into->dns, arena))
			return -ENOMEM;
		p = add_dns(p, into->dns);
	}
	if (mask >> COLUMN_DROPS & 1) {
		if (!MAKE(into->drops, arena))
			return -ENOMEM;
		p = add_drops(p, into->drops);
	}
	r->at = p;
	return 0;
}

static const uint8_t *skip(const uint8_t *p, uint64_t numbers)
{
	while (numbers--)
		while (*p++ & 0x80)
			;
	return p;
}

static const uint8_t *skip_histogram(const uint8_t *p)
{
	uint64_t used;

	p = skip(p, 3);
	p = get(p, &used);
	return skip(p, 2 * used);
}

static const uint8_t *skip_dns(const uint8_t *p)
{
	uint64_t mask;

	p = get(p, &mask);
	p = skip(p, (uint64_t)__builtin_popcountll(mask & ~(UINT64_C(1) << DNS_LATENCY)));
	return mask >> DNS_LATENCY & 1 ? skip_histogram(p) : p;
}

static const uint8_t *skip_drops(const uint8_t *p)
{
	uint64_t used;

	p = get(p, &used);
	return skip(p, 2 * used);
}

/* What follows the counters. */
static const uint8_t *skip_rest(const uint8_t *p, uint64_t mask)
{
	if (mask >> COLUMN_RTT & 1)
		p = skip_histogram(p);
	if (mask >> COLUMN_CONNECT & 1)
		p = skip_histogram(p);
	if (mask >> COLUMN_DNS & 1)
		p = skip_dns(p);
	if (mask >> COLUMN_DROPS & 1)
		p = skip_drops(p);
	return p;
}

void row_add_counters(struct row_reader *r, struct sums *into)
{
	uint64_t mask = read_mask(r->at);

	r->at = skip_rest(add_plain(r->at + MASK_BYTES, mask, into), mask);
}

const uint8_t *row_figures(struct row_reader *r, size_t *ret_size)
{
	const uint64_t plain =
		~UINT64_C(0) << COUNTERS_BEGIN | 1 << COLUMN_ACTIVE_LOST | 1 << COLUMN_PENDING_LOST;
	const uint8_t *begin = r->at;
	uint64_t mask = read_mask(begin);
	const uint8_t *p = skip(begin + MASK_BYTES, (uint64_t)__builtin_popcountll(mask & plain));

	p = skip_rest(p, mask);
	*ret_size = p - begin;
	r->at = p;
	return begin;
}
