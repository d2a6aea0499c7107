/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of strings and addresses that columns point into; index 0 is "" and 0. */
#include <errno.h>
#include <string.h>

#include "wire/decode_internal.h"

/* Sizes that add up to the data, none of them above size_max. */
static int check_sizes(struct decoder *d, const char *name, const Millrace__Blobs *m, size_t max,
		       size_t size_max)
{
	size_t left = m->data.len;

	if (m->n_size > max)
		return decode_fail(d, -E2BIG, "%zu %s, at most %zu are taken at once", m->n_size,
				   name, max);
	for (size_t i = 0; i < m->n_size; i++) {
		if (m->size[i] > size_max)
			return decode_fail(d, -E2BIG,
					   "one of its %s has %llu bytes, at most %zu "
					   "are taken",
					   name, (unsigned long long)m->size[i], size_max);
		if (m->size[i] > left)
			return decode_fail(d, -EBADMSG, "its %s are longer than their bytes", name);
		left -= m->size[i];
	}
	if (left)
		return decode_fail(d, -EBADMSG, "its %s leave %zu bytes over", name, left);
	return 0;
}

static int decode_strings(struct decoder *d, const Millrace__Blobs *m)
{
	size_t count = m ? m->n_size : 0, at = 0;
	char *text;
	int r = m ? check_sizes(d, "strings", m, d->limits->strings_max, d->limits->string_size_max)
		  : 0;

	if (r)
		return r;
	d->strings = decode_alloc(d, d->messages, count + 1, sizeof(*d->strings));
	text = d->strings ? decode_alloc(d, d->arena, 1, (m ? m->data.len : 0) + count + 1) : NULL;
	if (!text)
		return d->refused;
	d->string_count = count + 1;
	d->strings[0] = text++;
	for (size_t i = 0; i < count; i++) {
		if (memchr(m->data.data + at, 0, m->size[i]))
			return decode_fail(d, -EBADMSG, "a string holds a NUL");
		d->strings[i + 1] = memcpy(text, m->data.data + at, m->size[i]);
		text += m->size[i] + 1;
		at += m->size[i];
	}
	return 0;
}

static int decode_address(struct decoder *d, const uint8_t *data, uint64_t size, uint8_t ret[16])
{
	if (size == 16) {
		memcpy(ret, data, 16);
		return 0;
	}
	if (size != 4)
		return decode_fail(d, -EBADMSG, "an address has %llu bytes, neither 4 nor 16",
				   (unsigned long long)size);
	ret[10] = ret[11] = 0xff;
	memcpy(ret + 12, data, 4);
	return 0;
}

static int decode_addresses(struct decoder *d, const Millrace__Blobs *m)
{
	size_t count = m ? m->n_size : 0, at = 0;
	uint8_t(*addresses)[16];
	int r = m ? check_sizes(d, "addresses", m, d->limits->addresses_max, 16) : 0;

	if (r)
		return r;
	addresses = decode_alloc(d, d->messages, count + 1, sizeof(*addresses));
	if (!addresses)
		return d->refused;
	d->addresses = (const uint8_t(*)[16])addresses;
	d->address_count = count + 1;
	for (size_t i = 0; i < count; i++) {
		r = decode_address(d, m->data.data + at, m->size[i], addresses[i + 1]);
		if (r)
			return r;
		at += m->size[i];
	}
	return 0;
}

int decode_blobs(struct decoder *d, const Millrace__Blobs *strings,
		 const Millrace__Blobs *addresses)
{
	int r = decode_strings(d, strings);

	return r ? r : decode_addresses(d, addresses);
}
