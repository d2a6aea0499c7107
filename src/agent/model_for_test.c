/* SPDX-License-Identifier: Apache-2.0 */
/* See model_for_test.h. */
#include "agent/model_for_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/decode.h"

void model_init(struct model *m)
{
	*m = (struct model){.defined_for = 1};
	book_init(&m->book);
}

void model_done(struct model *m)
{
	book_done(&m->book);
	free(m->bytes);
}

static void model_keep(struct model *m, const uint8_t *data, size_t size, uint64_t sequence)
{
	free(m->bytes);
	m->bytes = malloc(size);
	memcpy(m->bytes, data, size);
	m->size = size;
	m->sequence = sequence;
	m->defined_for = sequence + 1;
	m->taken++;
}

static int model_take(struct model *m, const struct wire_batch *b, const uint8_t *data, size_t size,
		      uint64_t random)
{
	if (b->sequence == m->sequence && !b->definitions) {
		bool same = size == m->size && !memcmp(data, m->bytes, size);

		m->repeated += same;
		return same ? 204 : 422;
	}
	if (b->sequence <= m->sequence)
		return 422;
	if (b->definitions) {
		book_add(&m->book, b);
		m->defined_for = b->sequence;
		m->defined++;
		return 204;
	}
	if (b->sequence != m->defined_for) {
		m->asked++;
		return 409;
	}
	if (m->refuse_one_in && random % m->refuse_one_in == 0) {
		m->refused_rows += b->update_count;
		return 422;
	}
	assert_true(!m->refuse_one_in || b->loss[WIRE_LOSS_REFUSED_BY_SERVER] == m->refused_rows);
	book_add(&m->book, b);
	model_keep(m, data, size, b->sequence);
	return random % 4 ? 204 : 200;
}

int model_post(struct model *m, const uint8_t *data, size_t size, uint64_t random)
{
	struct error error = {""};
	struct wire_batch *b;
	int status;

	if (wire_decode(data, size, NULL, &b, &error))
		fail_msg("%s", error.text);
	status = model_take(m, b, data, size, random);
	wire_batch_free(b);
	return status;
}

void model_restart(struct model *m)
{
	book_forget_handles(&m->book);
	m->defined_for = 0;
}
