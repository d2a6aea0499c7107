/* SPDX-License-Identifier: Apache-2.0 */
/* Columns into rows by their tables (columns.h). A column that is not there is one of zeros. */
#include <errno.h>
#include <string.h>

#include "wire/decode_internal.h"
#include "wire/pack.h"

int decode_fail_value(struct decoder *d, const char *kind, const char *column, uint64_t value,
		      uint64_t max)
{
	return decode_fail(d, -EBADMSG, "%s.%s holds %llu, at most %llu makes sense", kind, column,
			   (unsigned long long)value, (unsigned long long)max);
}

int decode_fail_length(struct decoder *d, const char *kind, const char *column, size_t values,
		       size_t rows)
{
	return decode_fail(d, -EBADMSG, "%s.%s has %zu values for %zu rows", kind, column, values,
			   rows);
}

int decode_string(struct decoder *d, const char *name, uint64_t index, const char **ret)
{
	if (index >= d->string_count)
		return decode_fail(d, -EBADMSG, "%s is string %llu of %zu", name,
				   (unsigned long long)index, d->string_count - 1);
	*ret = d->strings[index];
	return 0;
}

static void write_number(void *field, uint8_t size, uint64_t value)
{
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;

	switch (size) {
	case 1:
		memcpy(field, &u8, size);
		break;
	case 2:
		memcpy(field, &u16, size);
		break;
	case 4:
		memcpy(field, &u32, size);
		break;
	default:
		memcpy(field, &value, sizeof(value));
	}
}

static int decode_number(struct decoder *d, const struct wire_kind *kind,
			 const struct wire_column *column, uint64_t value, uint8_t *field)
{
	uint64_t max = column->max;

	if (column->coding == WIRE_CODING_HANDLE && d->limits->handle_max < max)
		max = d->limits->handle_max;
	if (value > max)
		return decode_fail_value(d, kind->name, column->name, value, max);
	write_number(field, column->size, value);
	return 0;
}

static int decode_value(struct decoder *d, const struct wire_kind *kind,
			const struct wire_column *column, uint64_t value, uint8_t *field)
{
	switch ((enum wire_coding)column->coding) {
	case WIRE_CODING_STRING:
		if (value >= d->string_count)
			return decode_fail_value(d, kind->name, column->name, value,
						 d->string_count - 1);
		memcpy(field, &d->strings[value], sizeof(d->strings[value]));
		return 0;
	case WIRE_CODING_ADDRESS:
		if (value >= d->address_count)
			return decode_fail_value(d, kind->name, column->name, value,
						 d->address_count - 1);
		memcpy(field, d->addresses[value], sizeof(d->addresses[value]));
		return 0;
	default:
		return decode_number(d, kind, column, value, field);
	}
}

/* values NULL: zeros. */
static int decode_values(struct decoder *d, const struct wire_kind *kind,
			 const struct wire_column *column, const uint64_t *values, uint8_t *rows,
			 size_t count)
{
	bool is_delta = column->coding == WIRE_CODING_DELTA || column->coding == WIRE_CODING_HANDLE;
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++) {
		int r;

		if (values)
			value = is_delta ? value + values[i] : values[i];
		r = decode_value(d, kind, column, value,
				 rows + i * kind->row_size + column->row_offset);
		if (r)
			return r;
	}
	return 0;
}

static int decode_column(struct decoder *d, const struct wire_kind *kind,
			 const struct wire_column *column, const uint8_t *message, uint8_t *rows,
			 size_t count)
{
	const uint64_t *values;
	size_t n;

	memcpy(&n, message + column->count_offset, sizeof(n));
	memcpy(&values, message + column->values_offset, sizeof(values));
	if (n && n != count)
		return decode_fail_length(d, kind->name, column->name, n, count);
	return decode_values(d, kind, column, n ? values : NULL, rows, count);
}

int decode_columns(struct decoder *d, const struct wire_kind *kind, const void *message, size_t max,
		   void *ret_rows, size_t *ret_count)
{
	uint64_t count = 0;
	uint8_t *rows;

	*ret_count = 0;
	if (message)
		memcpy(&count, (const uint8_t *)message + kind->count_offset, sizeof(count));
	if (count > max)
		return decode_fail(d, -E2BIG, "%llu %s, at most %zu are taken at once",
				   (unsigned long long)count, kind->name, max);
	if (!message)
		return 0;
	rows = decode_alloc(d, d->arena, count, kind->row_size);
	if (!rows)
		return d->refused;
	for (size_t i = 0; i < kind->column_count; i++) {
		int r = decode_column(d, kind, &kind->columns[i], message, rows, count);

		if (r)
			return r;
	}
	memcpy(ret_rows, &rows, sizeof(rows));
	*ret_count = count;
	return 0;
}

int decode_packed(struct decoder *d, const char *kind, const char *column,
		  const ProtobufCBinaryData *packed, size_t count, uint64_t **ret)
{
	uint64_t *values;

	*ret = NULL;
	if (!count)
		return packed->len ? decode_fail_length(d, kind, column, packed->len, 0) : 0;
	values = decode_alloc(d, d->messages, count, sizeof(*values));
	if (!values)
		return d->refused;
	if (unpack(packed->data, packed->len, values, count) < 0)
		return decode_fail(d, -EBADMSG, "%s.%s is no packed column of %zu rows", kind,
				   column, count);
	*ret = values;
	return 0;
}

int decode_counters(struct decoder *d, const char *kind, const struct wire_numbers *numbers,
		    Millrace__Column *const *columns, size_t column_count, uint64_t *const *rows,
		    size_t count)
{
	for (size_t i = 0; i < column_count; i++) {
		int place = wire_number_find(numbers, columns[i]->number);

		if (place < 0)
			continue;
		if (columns[i]->n_value != count)
			return decode_fail_length(d, kind, "counters", columns[i]->n_value, count);
		for (size_t k = 0; k < count; k++)
			rows[k][place] = columns[i]->value[k];
	}
	return 0;
}
