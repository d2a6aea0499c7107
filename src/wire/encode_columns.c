/* SPDX-License-Identifier: Apache-2.0 */
/* Rows into columns by their tables (columns.h). A column of nothing but zeros is left out. */
#include <errno.h>
#include <string.h>

#include "wire/encode.h"
#include "wire/encode_internal.h"
#include "wire/pack.h"

int encode_string(struct encoder *e, const char *s, uint64_t *ret_index)
{
	size_t size = s ? strlen(s) : 0;
	uint32_t index;
	int r;

	*ret_index = 0;
	if (!size)
		return 0;
	if (size > WIRE_STRING_SIZE_MAX)
		return -EINVAL;
	r = intern_add(&e->strings, s, size, &index);
	if (!r)
		*ret_index = index + UINT64_C(1);
	return r;
}

static int encode_address(struct encoder *e, const uint8_t address[16], uint64_t *ret_index)
{
	static const uint8_t none[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
	size_t skip = memcmp(address, mapped, sizeof(mapped)) ? 0 : sizeof(mapped);
	uint32_t index;
	int r;

	*ret_index = 0;
	if (!memcmp(address, none, sizeof(none)))
		return 0;
	r = intern_add(&e->addresses, address + skip, 16 - skip, &index);
	if (!r)
		*ret_index = index + UINT64_C(1);
	return r;
}

int encode_packed(struct encoder *e, const uint64_t *values, size_t count, ProtobufCBinaryData *ret)
{
	if (!count)
		return 0;
	ret->data = arena_alloc(e->arena, PACK_BOUND(count));
	if (!ret->data)
		return -ENOMEM;
	ret->len = pack(values, count, ret->data);
	return 0;
}

static uint64_t read_number(const void *field, uint8_t size)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (size) {
	case 1:
		return *(const uint8_t *)field;
	case 2:
		memcpy(&u16, field, sizeof(u16));
		return u16;
	case 4:
		memcpy(&u32, field, sizeof(u32));
		return u32;
	default:
		memcpy(&u64, field, sizeof(u64));
		return u64;
	}
}

static int encode_value(struct encoder *e, const struct wire_column *column, const uint8_t *field,
			uint64_t *ret)
{
	const char *s;

	switch ((enum wire_coding)column->coding) {
	case WIRE_CODING_STRING:
		memcpy(&s, field, sizeof(s));
		return encode_string(e, s, ret);
	case WIRE_CODING_ADDRESS:
		return encode_address(e, field, ret);
	default:
		*ret = read_number(field, column->size);
		return 0;
	}
}

static void make_deltas(uint64_t *values, size_t count)
{
	for (size_t i = count; i-- > 1;)
		values[i] -= values[i - 1];
}

static int encode_column(struct encoder *e, const struct wire_column *column, const uint8_t *rows,
			 size_t row_size, size_t count, uint8_t *message)
{
	uint64_t *values = arena_alloc(e->arena, count * sizeof(*values)), any = 0;

	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int r = encode_value(e, column, rows + i * row_size + column->row_offset,
				     &values[i]);

		if (r)
			return r;
		any |= values[i];
	}
	if (!any)
		return 0;
	if (column->coding == WIRE_CODING_DELTA || column->coding == WIRE_CODING_HANDLE)
		make_deltas(values, count);
	memcpy(message + column->count_offset, &count, sizeof(count));
	memcpy(message + column->values_offset, &values, sizeof(values));
	return 0;
}

int encode_columns(struct encoder *e, const struct wire_kind *kind, const void *rows, size_t count,
		   void *message)
{
	const uint64_t number = count;

	memcpy((uint8_t *)message + kind->count_offset, &number, sizeof(number));
	for (size_t i = 0; i < kind->column_count; i++) {
		int r = encode_column(e, &kind->columns[i], rows, kind->row_size, count, message);

		if (r)
			return r;
	}
	return 0;
}

/* NULL in *ret: all are 0. */
static int encode_counter(struct encoder *e, const uint64_t *const *rows, size_t count,
			  unsigned int place, Millrace__Column **ret)
{
	uint64_t *values = arena_alloc(e->arena, count * sizeof(*values)), any = 0;

	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		any |= values[i] = rows[i][place];
	*ret = NULL;
	if (!any)
		return 0;
	*ret = arena_alloc(e->arena, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	millrace__column__init(*ret);
	(*ret)->value = values;
	(*ret)->n_value = count;
	return 0;
}

int encode_counters(struct encoder *e, const struct wire_numbers *numbers,
		    const uint64_t *const *rows, size_t count, size_t *ret_count,
		    Millrace__Column ***ret)
{
	Millrace__Column **columns = arena_alloc(e->arena, numbers->count * sizeof(*columns));
	size_t n = 0;

	if (!columns)
		return -ENOMEM;
	for (unsigned int place = 0; place < numbers->count; place++) {
		int r = encode_counter(e, rows, count, place, &columns[n]);

		if (r)
			return r;
		if (columns[n])
			columns[n++]->number = numbers->number[place];
	}
	*ret = columns;
	*ret_count = n;
	return 0;
}
