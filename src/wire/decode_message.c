/* SPDX-License-Identifier: Apache-2.0 */
/* What all messages have in common on their way in: zstd, version, protobuf, and the budget that
 * everything is charged to. */
#include <errno.h>
#include <stdio.h>

#include "wire/decode_internal.h"
#include "wire/encode.h"
#include "wire/frame.h"

int decode_fail(struct decoder *d, int code, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(d->error, code, "cannot read %s: %s: %s", d->what, text,
			 code == -E2BIG             ? "look at what its sender watches"
			 : code == -ENOMEM          ? "free some memory"
			 : code == -EPROTONOSUPPORT ? "use an agent and a server of one age"
						    : "see that it comes from millrace, and "
						      "nothing on the way changes it");
}

void *decode_alloc(struct decoder *d, struct arena *arena, size_t count, size_t size)
{
	const size_t align = _Alignof(max_align_t); /* of which an arena gives multiples */
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > d->memory_left / align * align) {
		d->refused = decode_fail(d, -E2BIG, "it takes more than %zu bytes of memory",
					 d->limits->memory_size_max);
		return NULL;
	}
	d->memory_left -= (bytes + align - 1) / align * align;
	p = arena_alloc(arena, bytes);
	if (!p)
		d->refused = decode_fail(d, -ENOMEM, "out of memory");
	return p;
}

static void *message_alloc(void *userdata, size_t size)
{
	struct decoder *d = userdata;

	return decode_alloc(d, d->messages, 1, size);
}

/* All of them go with their arena. */
static void message_free(void *userdata, void *p)
{
}

/* Field 1 comes first in every version, and can be read when nothing else can. */
static int check_version(struct decoder *d, const uint8_t *content, size_t size)
{
	uint64_t version = 0;
	size_t at = 1;

	if (size < 2 || content[0] != 0x08)
		return decode_fail(d, -EBADMSG, "it does not begin with a version");
	for (unsigned int shift = 0; at < size && shift < 35; shift += 7) {
		version |= (uint64_t)(content[at] & 0x7f) << shift;
		if (!(content[at++] & 0x80))
			break;
	}
	if (version == WIRE_VERSION)
		return 0;
	if (version == 0)
		return decode_fail(d, -EBADMSG, "it does not begin with a version");
	return decode_fail(d, -EPROTONOSUPPORT, "it is of version %llu of the schema, not %d",
			   (unsigned long long)version, WIRE_VERSION);
}

/* Into *ret, of the decoder's messages. */
static int decode_frame(struct decoder *d, const void *data, size_t size, uint8_t **ret,
			size_t *ret_size)
{
	const struct wire_limits *l = d->limits;
	uint64_t content_size;
	uint8_t *content = NULL;
	int r;

	if (size > l->compressed_size_max)
		return decode_fail(d, -E2BIG, "it has %zu bytes, at most %zu are taken", size,
				   l->compressed_size_max);
	r = frame_measure(data, size, &content_size);
	if (r)
		return decode_fail(d, r, "it is not one zstd frame that states its size");
	if (content_size > l->content_size_max)
		return decode_fail(d, -E2BIG, "it unpacks to %llu bytes, at most %zu are taken",
				   (unsigned long long)content_size, l->content_size_max);
	content = decode_alloc(d, d->messages, 1, content_size);
	if (!content)
		return d->refused;
	r = frame_unpack(data, size, content, content_size);
	if (r)
		return decode_fail(d, r, r == -ENOMEM ? "out of memory" : "it is damaged");
	*ret = content;
	*ret_size = content_size;
	return check_version(d, content, content_size);
}

int decode_message(struct decoder *d, const void *data, size_t size,
		   const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret)
{
	ProtobufCAllocator allocator = {message_alloc, message_free, d};
	uint8_t *content = NULL;
	int r;

	d->memory_left = d->limits->memory_size_max;
	d->messages = arena_new();
	if (!d->arena || !d->messages)
		return decode_fail(d, -ENOMEM, "out of memory");
	r = decode_frame(d, data, size, &content, &size);
	if (r)
		return r;
	*ret = protobuf_c_message_unpack(descriptor, &allocator, size, content);
	if (*ret)
		return 0;
	return d->refused ? d->refused : decode_fail(d, -EBADMSG, "it does not follow the schema");
}

void decode_end(struct decoder *d)
{
	arena_free(d->messages);
}
