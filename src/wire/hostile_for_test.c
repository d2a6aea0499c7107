/* SPDX-License-Identifier: Apache-2.0 */
/* See hostile_for_test.h. */
#include "wire/hostile_for_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/encode.h"
#include "wire/frame.h"
#include "wire/sample_for_test.h"

struct hostile_bytes hostile_encode(const struct wire_batch *b)
{
	struct hostile_bytes ret;

	assert_int_equal(wire_encode(b, &ret.data, &ret.size), 0);
	return ret;
}

static bool has_all(const struct wire_batch *b)
{
	bool dns = false, drops = false;

	for (size_t i = 0; i < b->update_count; i++) {
		dns |= b->updates[i].dns != NULL;
		drops |= b->updates[i].drop_count > 0;
	}
	return dns && drops && b->actor_count && b->flow_count && b->retired_count &&
	       b->retired[0] && b->cover_count && b->retired_actor_count && b->name_count &&
	       b->listener_count && b->event_count && b->netns_count;
}

struct wire_batch *hostile_batch(void)
{
	for (uint64_t seed = 0;; seed++) {
		struct wire_batch *b = sample_batch(seed, 4);
		struct hostile_bytes frame = hostile_encode(b);

		free(frame.data);
		if (has_all(b) && frame.size < 2000)
			return b;
		wire_batch_free(b);
	}
}

struct hostile_bytes hostile_content(struct hostile_bytes frame)
{
	uint64_t size;
	struct hostile_bytes ret;

	assert_int_equal(frame_measure(frame.data, frame.size, &size), 0);
	ret.size = size;
	ret.data = malloc(size);
	assert_int_equal(frame_unpack(frame.data, frame.size, ret.data, size), 0);
	return ret;
}

struct hostile_bytes hostile_frame(const void *content, size_t size)
{
	struct hostile_bytes ret;

	assert_int_equal(frame_pack(content, size, &ret.data, &ret.size), 0);
	return ret;
}

int hostile_decode(const uint8_t *data, size_t size, const struct wire_limits *limits,
		   struct wire_batch **ret, struct error *error)
{
	uint8_t *exact = malloc(size + !size);
	int r;

	memcpy(exact, data, size);
	*error = (struct error){""};
	*ret = NULL;
	r = wire_decode(exact, size, limits, ret, error);
	free(exact);
	if (r)
		assert_true(!*ret && strlen(error->text) > 40 && !strchr(error->text, '\n'));
	else
		assert_true(*ret && !error->text[0]);
	return r;
}

void hostile_hold_refused(const uint8_t *data, size_t size, const struct wire_limits *limits,
			  int code, const char *reason)
{
	struct wire_batch *b;
	struct error error;

	assert_int_equal(hostile_decode(data, size, limits, &b, &error), code);
	if (!strstr(error.text, reason))
		fail_msg("\"%s\" does not say \"%s\"", error.text, reason);
}

static void *take_from(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void leave(void *arena, void *p)
{
}

struct hostile_bytes hostile_change(const struct wire_batch *b, void (*how)(Millrace__Batch *m))
{
	struct hostile_bytes frame = hostile_encode(b), content = hostile_content(frame), changed,
			     ret;
	ProtobufCAllocator allocator = {take_from, leave, arena_new()};
	Millrace__Batch *m = millrace__batch__unpack(&allocator, content.size, content.data);

	assert_non_null(m);
	how(m);
	changed.size = millrace__batch__get_packed_size(m);
	changed.data = malloc(changed.size);
	millrace__batch__pack(m, changed.data);
	ret = hostile_frame(changed.data, changed.size);
	free(changed.data);
	free(content.data);
	free(frame.data);
	arena_free(allocator.allocator_data);
	return ret;
}
