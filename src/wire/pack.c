/* SPDX-License-Identifier: Apache-2.0 */
/* See pack.h. */
#include "wire/pack.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SMALL      8 /* numbers below are classes of their own */
#define SMALL_BITS 3
#define TABLE      (1 << PACK_LENGTH_MAX)

/* How classes are coded. */
struct code {
	unsigned int first, last; /* classes that may come */
	uint8_t length[PACK_CLASSES];
	uint8_t bits[PACK_CLASSES]; /* turned around: the first bit lowest */
};

static unsigned int bits_of(uint64_t v)
{
	return v ? 64 - (unsigned int)__builtin_clzll(v) : 0;
}

static unsigned int class_of(uint64_t v)
{
	return v < SMALL ? (unsigned int)v : SMALL + bits_of(v) - (SMALL_BITS + 1);
}

/* Bits of its own behind a class's code. */
static unsigned int extra_of(unsigned int class)
{
	return class < SMALL ? 0 : class - SMALL + SMALL_BITS;
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static uint64_t unit_of(const uint64_t *values, size_t count)
{
	uint64_t unit = 0;

	for (size_t i = 0; i < count && unit != 1; i++)
		unit = greatest_common_divisor(values[i], unit);
	return unit ? unit : 1;
}

/* --- codes ---------------------------------------------------------------------------------- */

struct node {
	uint64_t weight;
	int parent; /* -1: none yet */
};

static int lightest(const struct node *nodes, int count)
{
	int found = -1;

	for (int i = 0; i < count; i++)
		if (nodes[i].parent < 0 && (found < 0 || nodes[i].weight < nodes[found].weight))
			found = i;
	return found;
}

/* Huffman's; the longest length there is. Leaves are the classes that come. */
static unsigned int build_lengths(const uint64_t *weight, struct code *c)
{
	struct node nodes[2 * PACK_CLASSES];
	uint8_t class[PACK_CLASSES];
	unsigned int longest = 0;
	int count = 0, leaves;

	for (unsigned int i = c->first; i <= c->last; i++) {
		if (!weight[i])
			continue;
		class[count] = (uint8_t)i;
		nodes[count++] = (struct node){weight[i], -1};
	}
	leaves = count;
	for (int joined = 1; joined < leaves; joined++) {
		int a = lightest(nodes, count), b;

		nodes[a].parent = count;
		b = lightest(nodes, count);
		nodes[b].parent = count;
		nodes[count] = (struct node){nodes[a].weight + nodes[b].weight, -1};
		count++;
	}
	for (int i = 0; i < leaves; i++) {
		unsigned int length = 0;

		for (int at = i; nodes[at].parent >= 0; at = nodes[at].parent)
			length++;
		c->length[class[i]] = (uint8_t)length;
		longest = length > longest ? length : longest;
	}
	return longest;
}

/* Weights are evened until no code is too long: of as many classes as there are, eight bits do. */
static void choose_code(uint64_t weight[PACK_CLASSES], struct code *ret)
{
	*ret = (struct code){.first = PACK_CLASSES};
	for (unsigned int i = 0; i < PACK_CLASSES; i++) {
		if (!weight[i])
			continue;
		ret->first = ret->first < i ? ret->first : i;
		ret->last = i;
	}
	while (build_lengths(weight, ret) > PACK_LENGTH_MAX)
		for (unsigned int i = 0; i < PACK_CLASSES; i++)
			weight[i] = (weight[i] + 1) / 2;
}

static uint8_t turned(unsigned int bits, unsigned int length)
{
	unsigned int ret = 0;

	for (unsigned int i = 0; i < length; i++)
		ret |= (bits >> i & 1) << (length - 1 - i);
	return (uint8_t)ret;
}

/* From lengths alone. False: they are no prefix code that uses all of its bits. */
static bool set_bits(struct code *c)
{
	unsigned int next = 0;

	if (c->first == c->last)
		return c->length[c->first] == 0;
	for (unsigned int length = 1; length <= PACK_LENGTH_MAX; length++) {
		next <<= 1;
		for (unsigned int i = c->first; i <= c->last; i++) {
			if (c->length[i] != length)
				continue;
			if (next >> length)
				return false;
			c->bits[i] = turned(next++, length);
		}
	}
	return next == TABLE;
}

/* --- bits out ------------------------------------------------------------------------------- */

struct writer {
	uint8_t *at;
	uint64_t bits;
	unsigned int count; /* below 8 between calls */
};

/* At most 56 bits at once. */
static void put_bits(struct writer *w, uint64_t bits, unsigned int count)
{
	w->bits |= bits << w->count;
	w->count += count;
	for (; w->count >= 8; w->count -= 8) {
		*w->at++ = (uint8_t)w->bits;
		w->bits >>= 8;
	}
}

static void put_number(struct writer *w, const struct code *c, uint64_t v)
{
	unsigned int class = class_of(v), extra = extra_of(class);
	uint64_t low = extra ? v & (UINT64_MAX >> (64 - extra)) : 0;

	put_bits(w, c->bits[class], c->length[class]);
	if (extra > 32) {
		put_bits(w, low & UINT32_MAX, 32);
		put_bits(w, low >> 32, extra - 32);
	} else {
		put_bits(w, low, extra);
	}
}

static void put_code(struct writer *w, const struct code *c)
{
	put_bits(w, c->first, 8);
	put_bits(w, c->last, 8);
	if (c->first == c->last)
		return;
	for (unsigned int i = c->first; i <= c->last; i++)
		put_bits(w, c->length[i], 4);
}

size_t pack(const uint64_t *values, size_t count, uint8_t *into)
{
	uint64_t unit = unit_of(values, count), weight[PACK_CLASSES] = {0}, left;
	struct writer w = {.at = into};
	struct code c;

	for (size_t i = 0; i < count; i++)
		weight[class_of(values[i] / unit)]++;
	choose_code(weight, &c);
	set_bits(&c);
	for (left = unit; left >= 0x80; left >>= 7)
		*w.at++ = (uint8_t)left | 0x80;
	*w.at++ = (uint8_t)left;
	put_code(&w, &c);
	for (size_t i = 0; i < count; i++)
		put_number(&w, &c, values[i] / unit);
	if (w.count)
		put_bits(&w, 0, 8 - w.count);
	return (size_t)(w.at - into);
}

/* --- bits in -------------------------------------------------------------------------------- */

struct reader {
	const uint8_t *at, *end;
	uint64_t bits;
	unsigned int count;   /* of bits */
	unsigned int missing; /* zeros that were taken for bits behind the end */
};

/* So that there are at least 56. */
static inline void fill(struct reader *r)
{
	while (r->count <= 56) {
		if (r->at < r->end)
			r->bits |= (uint64_t)*r->at++ << r->count;
		else
			r->missing += 8;
		r->count += 8;
	}
}

static inline uint64_t take_bits(struct reader *r, unsigned int count)
{
	uint64_t ret = count ? r->bits & (UINT64_MAX >> (64 - count)) : 0;

	r->bits = count < 64 ? r->bits >> count : 0;
	r->count -= count;
	return ret;
}

static uint64_t get_bits(struct reader *r, unsigned int count)
{
	fill(r);
	return take_bits(r, count);
}

/* What the next PACK_LENGTH_MAX bits begin with. */
struct entry {
	uint8_t class, length, extra;
};

static bool get_code(struct reader *r, struct entry table[TABLE])
{
	struct code c = {.first = (unsigned int)get_bits(r, 8)};

	c.last = (unsigned int)get_bits(r, 8);
	if (c.first > c.last || c.last >= PACK_CLASSES)
		return false;
	for (unsigned int i = c.first; i <= c.last && c.first != c.last; i++) {
		c.length[i] = (uint8_t)get_bits(r, 4);
		if (c.length[i] > PACK_LENGTH_MAX)
			return false;
	}
	if (!set_bits(&c))
		return false;
	for (unsigned int i = c.first; i <= c.last; i++) {
		if (c.first != c.last && !c.length[i])
			continue;
		for (unsigned int bits = c.bits[i]; bits < TABLE; bits += 1u << c.length[i])
			table[bits] = (struct entry){(uint8_t)i, c.length[i], (uint8_t)extra_of(i)};
	}
	return true;
}

static inline uint64_t get_number(struct reader *r, const struct entry table[TABLE])
{
	struct entry e;
	uint64_t v;

	fill(r);
	e = table[r->bits & (TABLE - 1)];
	take_bits(r, e.length);
	if (e.class < SMALL)
		return e.class;
	if (e.extra <= 48)
		return UINT64_C(1) << e.extra | take_bits(r, e.extra);
	v = get_bits(r, 32);
	return UINT64_C(1) << e.extra | v | get_bits(r, e.extra - 32u) << 32;
}

static bool get_unit(struct reader *r, uint64_t *ret)
{
	*ret = 0;
	for (unsigned int shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		*ret |= (uint64_t)(*r->at & 0x7f) << shift;
		if (!(*r->at++ & 0x80))
			return *ret != 0;
	}
	return false;
}

/* All bytes were used, and no bit that was not there. */
static bool is_at_end(const struct reader *r)
{
	return r->at == r->end && r->missing <= r->count && r->count - r->missing < 8 && !r->bits;
}

int unpack(const uint8_t *data, size_t size, uint64_t *ret, size_t count)
{
	struct reader r = {.at = data};
	struct entry table[TABLE];
	uint64_t unit;

	if (!size)
		return -EBADMSG;
	r.end = data + size;
	if (!get_unit(&r, &unit) || !get_code(&r, table))
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		ret[i] = get_number(&r, table) * unit;
		if (r.missing > r.count)
			return -EBADMSG;
	}
	return is_at_end(&r) ? 0 : -EBADMSG;
}
