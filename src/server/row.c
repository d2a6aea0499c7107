/* SPDX-License-Identifier: Apache-2.0 */
/* See row.h. */
#include "server/row.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN_ACTIVE_LOST  MR_COUNTER_COUNT
#define COLUMN_PENDING_LOST (MR_COUNTER_COUNT + 1)
#define COLUMN_RTT          (MR_COUNTER_COUNT + 2)
#define COLUMN_CONNECT      (MR_COUNTER_COUNT + 3)
#define COLUMN_DNS          (MR_COUNTER_COUNT + 4)
#define COLUMN_DROPS        (MR_COUNTER_COUNT + 5)
#define COLUMNS             (MR_COUNTER_COUNT + 6)
#define MASK_BYTES          6
#define DNS_LATENCY         WIRE_DNS_COUNT /* a bit of DNS's own mask, after its counters */

_Static_assert(COLUMNS <= MASK_BYTES * 8, "the mask of columns has a bit for each");

#define VARINT_MAX 10
/* A row at its largest: flow, mask, columns, DNS's mask and counters, three histograms of four
 * numbers and all buckets. */
#define ROW_MAX                                                                                    \
	(VARINT_MAX * (1 + COLUMN_RTT + 1 + WIRE_DNS_COUNT + 1 + 2 * DROPS_MAX + 3 * 4) +          \
	 MASK_BYTES + 3 * HISTOGRAM_BUCKETS * (1 + 5))

int64_t sums_active(const struct sums *s)
{
	return (int64_t)(s->counter[MR_ADOPTED] + s->counter[MR_OPENED] - s->counter[MR_CLOSED]) -
	       s->active_lost;
}

uint64_t sums_failed(const struct sums *s)
{
	uint64_t failed = 0;

	for (unsigned int i = MR_FAILED_REFUSED; i <= MR_FAILED_OTHER; i++)
		failed += s->counter[i];
	return failed;
}

int64_t sums_pending(const struct sums *s, bool client)
{
	if (!client)
		return 0;
	return (int64_t)(s->counter[MR_ATTEMPTED] - s->counter[MR_OPENED] - sums_failed(s)) -
	       s->pending_lost;
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

static uint8_t *put_histogram(uint8_t *p, const struct histogram *h)
{
	unsigned int i, used = 0, next = 0;

	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		used += h->bucket[i] != 0;
	p = put(p, h->sum);
	p = put(p, h->min);
	p = put(p, (uint32_t)(h->max - h->min));
	p = put(p, used);
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (!h->bucket[i])
			continue;
		p = put(p, i - next);
		p = put(p, h->bucket[i]);
		next = i + 1;
	}
	return p;
}

static uint64_t dns_mask(const struct wire_dns *dns)
{
	uint64_t mask = (uint64_t)(dns->latency_us.count != 0) << DNS_LATENCY;

	for (unsigned int i = 0; i < WIRE_DNS_COUNT; i++)
		mask |= (uint64_t)(dns->counter[i] != 0) << i;
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

static uint64_t columns_of(const struct sums *s)
{
	uint64_t mask = 0;

	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		mask |= (uint64_t)(s->counter[i] != 0) << i;
	mask |= (uint64_t)(s->active_lost != 0) << COLUMN_ACTIVE_LOST;
	mask |= (uint64_t)(s->pending_lost != 0) << COLUMN_PENDING_LOST;
	mask |= (uint64_t)(s->rtt_us.count != 0) << COLUMN_RTT;
	mask |= (uint64_t)(s->connect_us.count != 0) << COLUMN_CONNECT;
	mask |= (uint64_t)(dns_mask(&s->dns) != 0) << COLUMN_DNS;
	mask |= (uint64_t)(s->drops.used != 0) << COLUMN_DROPS;
	return mask;
}

int row_write(struct row_writer *w, uint32_t flow, const struct sums *s)
{
	uint64_t mask = columns_of(s);
	uint8_t *p;
	int r = reserve(w, ROW_MAX);

	if (r < 0)
		return r;
	p = put(w->data + w->size, zigzag((uint64_t)flow - w->flow_before));
	for (unsigned int i = 0; i < MASK_BYTES; i++)
		*p++ = (uint8_t)(mask >> 8 * i);
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		if (s->counter[i])
			p = put(p, zigzag(s->counter[i]));
	if (s->active_lost)
		p = put(p, zigzag((uint64_t)s->active_lost));
	if (s->pending_lost)
		p = put(p, zigzag((uint64_t)s->pending_lost));
	if (s->rtt_us.count)
		p = put_histogram(p, &s->rtt_us);
	if (s->connect_us.count)
		p = put_histogram(p, &s->connect_us);
	if (mask >> COLUMN_DNS & 1)
		p = put_dns(p, &s->dns);
	if (s->drops.used)
		p = put_drops(p, &s->drops);
	w->size = p - w->data;
	w->flow_before = flow;
	return 0;
}

uint64_t row_read_number(struct row_reader *r)
{
	uint64_t v;

	r->at = get(r->at, &v);
	return v;
}

uint32_t row_flow(struct row_reader *r)
{
	uint64_t delta;

	r->at = get(r->at, &delta);
	r->flow_before += (uint32_t)unzigzag(delta);
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
		if (!(mask >> i & 1))
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

void row_add(struct row_reader *r, struct sums *into)
{
	const uint8_t *p = r->at + MASK_BYTES;
	uint64_t mask = 0, counters, v;

	for (unsigned int i = 0; i < MASK_BYTES; i++)
		mask |= (uint64_t)r->at[i] << 8 * i;
	counters = mask & ((UINT64_C(1) << MR_COUNTER_COUNT) - 1);
	for (; counters; counters &= counters - 1) {
		p = get(p, &v);
		into->counter[__builtin_ctzll(counters)] += unzigzag(v);
	}
	if (mask >> COLUMN_ACTIVE_LOST & 1) {
		p = get(p, &v);
		into->active_lost += (int64_t)unzigzag(v);
	}
	if (mask >> COLUMN_PENDING_LOST & 1) {
		p = get(p, &v);
		into->pending_lost += (int64_t)unzigzag(v);
	}
	if (mask >> COLUMN_RTT & 1)
		p = add_histogram(p, &into->rtt_us);
	if (mask >> COLUMN_CONNECT & 1)
		p = add_histogram(p, &into->connect_us);
	if (mask >> COLUMN_DNS & 1)
		p = add_dns(p, &into->dns);
	if (mask >> COLUMN_DROPS & 1)
		p = add_drops(p, &into->drops);
	r->at = p;
}
