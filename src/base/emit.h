/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON writer: values go into one growing buffer in the order in which they are said.
 *
 * What goes in may be hostile (process names, DNS answers): what comes out is always valid JSON in
 * valid UTF-8. Bytes that are not UTF-8 become U+FFFD; control characters are escaped, C1 too.
 *
 * Errors stick: after the first one nothing is written any more, and emit_take() tells. So callers
 * check once. The buffer has a bound; nesting is at most 31 deep.
 * In an object every value needs a key; in an array and at the top key is NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct emit {
	char *data;
	size_t size, capacity, size_max;
	uint32_t filled; /* bit d: depth d holds a value already */
	unsigned int depth;
	int error; /* 0, -ENOMEM, -E2BIG (over size_max or too deep) */
};

void emit_init(struct emit *e, size_t size_max);
void emit_done(struct emit *e);

/* The text, owned by the caller (free()), and its length; not terminated by 0. e is empty after. */
int emit_take(struct emit *e, char **ret, size_t *ret_size);

void emit_object_begin(struct emit *e, const char *key);
void emit_object_end(struct emit *e);
void emit_array_begin(struct emit *e, const char *key);
void emit_array_end(struct emit *e);

void emit_string(struct emit *e, const char *key, const char *value); /* NULL: null */
void emit_integer(struct emit *e, const char *key, int64_t value);
void emit_number(struct emit *e, const char *key, double value); /* not finite: null */
void emit_seconds(struct emit *e, const char *key, uint64_t ns); /* as seconds, six decimals */
void emit_boolean(struct emit *e, const char *key, bool value);
void emit_null(struct emit *e, const char *key);

/* A counter. They are sums of what may be "negative" by two's complement, see wire/batch.h. */
static inline void emit_counter(struct emit *e, const char *key, uint64_t value)
{
	emit_integer(e, key, (int64_t)value);
}

/* Length of the valid UTF-8 sequence at s (at most `size` bytes), 0 if there is none. RFC 3629. */
size_t emit_utf8_length(const char *s, size_t size);
