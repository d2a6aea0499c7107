/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the parts of the decoder; see decode.h. */
#pragma once

#include "millrace.pb-c.h"
#include "wire/columns.h"
#include "wire/decode.h"
#include "wire/numbers.h"

struct decoder {
	const struct wire_limits *limits; /* borrowed */
	const char *what;                 /* "a batch", for errors */
	struct arena *arena;              /* borrowed: the result's; NULL: there was no memory */
	struct arena *messages;           /* owned: of what is gone when the result is made */
	size_t memory_left;               /* of both */
	int refused;                      /* why decode_alloc gave nothing */
	struct error *error;              /* borrowed, may be NULL */

	const char **strings;           /* [0]: "" */
	const uint8_t (*addresses)[16]; /* [0]: 0 */
	size_t string_count, address_count;
};

/* Each function: 0, -EBADMSG, -E2BIG or -ENOMEM, with the error's line written. */

/* A message out of its frame, of the size and version that are taken here; it goes with the
 * decoder, which sets its memory up. */
int decode_message(struct decoder *d, const void *data, size_t size,
		   const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret);
void decode_end(struct decoder *d); /* also after a message that failed */

/* Writes "cannot read a batch: …"; returns code. */
__attribute__((format(printf, 3, 4))) int decode_fail(struct decoder *d, int code,
						      const char *format, ...);
/* Zeroed memory of an arena, within the budget; NULL: return d->refused, the line is written. */
void *decode_alloc(struct decoder *d, struct arena *arena, size_t count, size_t size);

/* The tables that columns point into; NULL: empty. */
int decode_blobs(struct decoder *d, const Millrace__Blobs *strings,
		 const Millrace__Blobs *addresses);
int decode_string(struct decoder *d, const char *name, uint64_t index, const char **ret);

/* Rows of a kind into the batch's arena; max: of them. message NULL: none. */
int decode_columns(struct decoder *d, const struct wire_kind *kind, const void *message, size_t max,
		   void *ret_rows, size_t *ret_count);
/* A field that holds something above its bounds, a column that is not as long as its kind. */
int decode_fail_value(struct decoder *d, const char *kind, const char *column, uint64_t value,
		      uint64_t max);
int decode_fail_length(struct decoder *d, const char *kind, const char *column, size_t values,
		       size_t rows);
/* A packed column of that many rows; NULL where there are none. */
int decode_packed(struct decoder *d, const char *kind, const char *column,
		  const ProtobufCBinaryData *packed, size_t count, uint64_t **ret);
/* rows: a pointer to each row's array of counters. Columns of unknown numbers are skipped. */
int decode_counters(struct decoder *d, const char *kind, const struct wire_numbers *numbers,
		    Millrace__Column *const *columns, size_t column_count, uint64_t *const *rows,
		    size_t count);
int decode_histograms(struct decoder *d, const char *name, const Millrace__Histograms *m,
		      struct histogram *const *rows, size_t count);
int decode_updates(struct decoder *d, Millrace__Updates *m, struct wire_batch *b);
