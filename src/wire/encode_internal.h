/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the parts of the encoder; see encode.h. Messages, and all they point to, live in the
 * encoder's arena. */
#pragma once

#include "millrace.pb-c.h"
#include "wire/batch.h"
#include "wire/columns.h"
#include "wire/intern.h"
#include "wire/numbers.h"

struct encoder {
	struct arena *arena;
	struct intern strings, addresses;
};

/* Each: 0, -ENOMEM, or -EINVAL for a string that is too long. */

int encode_begin(struct encoder *e);
void encode_end(struct encoder *e); /* also after a begin that failed */

/* A message of its own kind for rows, or none where there are none. message: its type in the
 * schema, twice; kind: its table of columns. */
#define ENCODE_ROWS(e, message, lower, kind, rows, count, ret)                                     \
	((count) ? encode_rows(e, &wire_##kind##_kind, rows, count, sizeof(Millrace__##message),   \
			       &millrace__##lower##__descriptor, (void **)(ret))                   \
		 : 0)
int encode_rows(struct encoder *e, const struct wire_kind *kind, const void *rows, size_t count,
		size_t size, const ProtobufCMessageDescriptor *descriptor, void **ret);
/* After all else: what was interned by then. */
int encode_tables(struct encoder *e, Millrace__Blobs **ret_strings,
		  Millrace__Blobs **ret_addresses);
/* A frame of the message; *ret: owned, for free(). */
int encode_message(struct encoder *e, const ProtobufCMessage *m, uint8_t **ret, size_t *ret_size);

/* So few numbers are smaller as they are. */
#define ENCODE_PACKED_MIN 16
/* A packed column (pack.h). */
int encode_packed(struct encoder *e, const uint64_t *values, size_t count,
		  ProtobufCBinaryData *ret);

int encode_string(struct encoder *e, const char *s, uint64_t *ret_index);
/* Writes how many rows there are and their columns into the kind's message. */
int encode_columns(struct encoder *e, const struct wire_kind *kind, const void *rows, size_t count,
		   void *message);
/* rows: a pointer to each row's array of counters. */
int encode_counters(struct encoder *e, const struct wire_numbers *numbers,
		    const uint64_t *const *rows, size_t count, size_t *ret_count,
		    Millrace__Column ***ret);
int encode_histograms(struct encoder *e, const struct histogram *const *rows, size_t count,
		      Millrace__Histograms **ret);
int encode_updates(struct encoder *e, const struct wire_batch *b, Millrace__Updates **ret);
