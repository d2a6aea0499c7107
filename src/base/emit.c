/* SPDX-License-Identifier: Apache-2.0 */
/* See emit.h. Everything is written through append(), which holds the bound. */
#include "base/emit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 31

void emit_init(struct emit *e, size_t size_max)
{
	*e = (struct emit){.size_max = size_max};
}

void emit_done(struct emit *e)
{
	free(e->data);
	*e = (struct emit){0};
}

int emit_take(struct emit *e, char **ret, size_t *ret_size)
{
	int r = e->error;

	if (!r) {
		*ret = e->data;
		*ret_size = e->size;
		e->data = NULL;
	}
	emit_done(e);
	return r;
}

static int grow(struct emit *e, size_t size)
{
	size_t capacity = e->capacity ? e->capacity : 4096;
	char *data;

	if (size > e->size_max)
		return -E2BIG;
	while (capacity < size)
		capacity *= 2;
	if (capacity > e->size_max)
		capacity = e->size_max;
	data = realloc(e->data, capacity);
	if (!data)
		return -ENOMEM;
	e->data = data;
	e->capacity = capacity;
	return 0;
}

static void append(struct emit *e, const char *bytes, size_t size)
{
	if (!e->error && e->size + size > e->capacity)
		e->error = grow(e, e->size + size);
	if (e->error)
		return;
	memcpy(e->data + e->size, bytes, size);
	e->size += size;
}

size_t emit_utf8_length(const char *s, size_t size)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	size_t length, i;

	if (!size)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	length = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (length > size)
		return 0;
	if (u[0] == 0xe0) /* no overlong forms, no surrogates, nothing above U+10FFFF */
		low = 0xa0;
	else if (u[0] == 0xed)
		high = 0x9f;
	else if (u[0] == 0xf0)
		low = 0x90;
	else if (u[0] == 0xf4)
		high = 0x8f;
	if (u[1] < low || u[1] > high)
		return 0;
	for (i = 2; i < length; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

static void append_escape(struct emit *e, unsigned int code)
{
	char text[8];

	append(e, text, snprintf(text, sizeof(text), "\\u%04x", code));
}

/* Writes one character or one invalid byte; returns how much of s it was. */
static size_t append_character(struct emit *e, const char *s, size_t size)
{
	size_t length = emit_utf8_length(s, size);
	unsigned char c = *s;

	if (!length) {
		append(e, "\xef\xbf\xbd", 3);
		return 1;
	}
	if (c == '"' || c == '\\') {
		append(e, "\\", 1);
		append(e, s, 1);
	} else if (c < 0x20 || c == 0x7f) {
		append_escape(e, c);
	} else if (c == 0xc2 && (unsigned char)s[1] < 0xa0) {
		append_escape(e, (unsigned char)s[1]);
	} else {
		append(e, s, length);
	}
	return length;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void append_string(struct emit *e, const char *s)
{
	size_t size = strlen(s), plain;

	append(e, "\"", 1);
	while (size) {
		for (plain = 0; plain < size && is_plain(s[plain]);)
			plain++;
		append(e, s, plain);
		if (plain < size)
			plain += append_character(e, s + plain, size - plain);
		s += plain;
		size -= plain;
	}
	append(e, "\"", 1);
}

/* What comes before every value: a comma, the key. */
static void begin_value(struct emit *e, const char *key)
{
	if (e->filled & 1u << e->depth)
		append(e, ",", 1);
	e->filled |= 1u << e->depth;
	if (key) {
		append_string(e, key);
		append(e, ":", 1);
	}
}

static void open_level(struct emit *e, const char *key, const char *bracket)
{
	begin_value(e, key);
	append(e, bracket, 1);
	if (e->depth == DEPTH_MAX) {
		e->error = e->error ? e->error : -E2BIG;
		return;
	}
	e->depth++;
	e->filled &= ~(1u << e->depth);
}

static void close_level(struct emit *e, const char *bracket)
{
	if (e->depth)
		e->depth--;
	append(e, bracket, 1);
}

void emit_object_begin(struct emit *e, const char *key)
{
	open_level(e, key, "{");
}

void emit_object_end(struct emit *e)
{
	close_level(e, "}");
}

void emit_array_begin(struct emit *e, const char *key)
{
	open_level(e, key, "[");
}

void emit_array_end(struct emit *e)
{
	close_level(e, "]");
}

void emit_string(struct emit *e, const char *key, const char *value)
{
	if (!value) {
		emit_null(e, key);
		return;
	}
	begin_value(e, key);
	append_string(e, value);
}

void emit_integer(struct emit *e, const char *key, int64_t value)
{
	char text[24], *p = text + sizeof(text);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do
		*--p = '0' + rest % 10;
	while (rest /= 10);
	if (value < 0)
		*--p = '-';
	begin_value(e, key);
	append(e, p, text + sizeof(text) - p);
}

/* printf() follows the locale; JSON knows only the point. */
static void append_decimal(struct emit *e, char *text)
{
	char *p;

	for (p = text; *p; p++)
		if (!strchr("0123456789+-eE", *p))
			*p = '.';
	append(e, text, strlen(text));
}

void emit_number(struct emit *e, const char *key, double value)
{
	char text[40];

	if (!isfinite(value)) {
		emit_null(e, key);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", value);
	begin_value(e, key);
	append_decimal(e, text);
}

void emit_seconds(struct emit *e, const char *key, uint64_t ns)
{
	char text[40];
	int size =
		snprintf(text, sizeof(text), "%llu.%06llu", (unsigned long long)(ns / 1000000000),
			 (unsigned long long)(ns % 1000000000 / 1000));

	begin_value(e, key);
	append(e, text, size);
}

void emit_boolean(struct emit *e, const char *key, bool value)
{
	begin_value(e, key);
	append(e, value ? "true" : "false", value ? 4 : 5);
}

void emit_null(struct emit *e, const char *key)
{
	begin_value(e, key);
	append(e, "null", 4);
}
