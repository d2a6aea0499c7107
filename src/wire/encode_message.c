/* SPDX-License-Identifier: Apache-2.0 */
/* What all messages have in common on their way out: rows as messages of columns, the tables of
 * strings and addresses, protobuf and zstd. */
#include <errno.h>
#include <string.h>

#include "wire/encode_internal.h"
#include "wire/frame.h"

int encode_begin(struct encoder *e)
{
	*e = (struct encoder){.arena = arena_new()};
	e->strings.arena = e->addresses.arena = e->arena;
	return e->arena ? 0 : -ENOMEM;
}

void encode_end(struct encoder *e)
{
	arena_free(e->arena);
}

int encode_rows(struct encoder *e, const struct wire_kind *kind, const void *rows, size_t count,
		size_t size, const ProtobufCMessageDescriptor *descriptor, void **ret)
{
	void *message = arena_alloc(e->arena, size);

	if (!message)
		return -ENOMEM;
	protobuf_c_message_init(descriptor, message);
	*ret = message;
	return encode_columns(e, kind, rows, count, message);
}

static int encode_blobs(struct encoder *e, const struct intern *t, Millrace__Blobs **ret)
{
	Millrace__Blobs *m = *ret = arena_alloc(e->arena, sizeof(*m));

	if (!m)
		return -ENOMEM;
	millrace__blobs__init(m);
	m->data.data = arena_alloc(e->arena, t->bytes);
	m->size = arena_alloc(e->arena, t->count * sizeof(*m->size));
	if (!m->data.data || !m->size)
		return -ENOMEM;
	for (size_t i = 0; i < t->count; i++) {
		memcpy(m->data.data + m->data.len, t->pieces[i].data, t->pieces[i].size);
		m->data.len += t->pieces[i].size;
		m->size[m->n_size++] = t->pieces[i].size;
	}
	return 0;
}

int encode_tables(struct encoder *e, Millrace__Blobs **ret_strings, Millrace__Blobs **ret_addresses)
{
	int r = encode_blobs(e, &e->strings, ret_strings);

	return r ? r : encode_blobs(e, &e->addresses, ret_addresses);
}

int encode_message(struct encoder *e, const ProtobufCMessage *m, uint8_t **ret, size_t *ret_size)
{
	uint8_t *packed = arena_alloc(e->arena, protobuf_c_message_get_packed_size(m));

	return packed ? frame_pack(packed, protobuf_c_message_pack(m, packed), ret, ret_size)
		      : -ENOMEM;
}
