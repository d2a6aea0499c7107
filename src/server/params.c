/* SPDX-License-Identifier: Apache-2.0 */
#include "server/params.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/when.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Undoes %XX and '+' in place. A NUL byte is refused: it would hide what stands behind it. */
static int decode(char *text)
{
	char *out = text;
	int high, low;

	for (; *text; text++) {
		if (*text == '+') {
			*out++ = ' ';
			continue;
		}
		if (*text != '%') {
			*out++ = *text;
			continue;
		}
		high = hex_digit(text[1]);
		low = high < 0 ? -1 : hex_digit(text[2]);
		if (low < 0 || !(high | low))
			return -EINVAL;
		*out++ = (char)(high << 4 | low);
		text += 2;
	}
	*out = '\0';
	return 0;
}

/* "a, b, c" of the table's names. */
static const char *list_names(const struct param_spec *specs, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (; specs->name && used < size; specs++)
		used += snprintf(ret + used, size - used, "%s%s", used ? ", " : "", specs->name);
	return ret;
}

static struct param *find(struct params *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		if (!strcmp(p->list[i].spec->name, name))
			return &p->list[i];
	return NULL;
}

/* Which of "a|b|c" text is, from 0; -1: none. */
static int choice_index(const char *choices, const char *text)
{
	size_t length = strlen(text), span;
	int i = 0;

	for (;; i++) {
		span = strcspn(choices, "|");
		if (span == length && !memcmp(choices, text, length))
			return i;
		if (!choices[span])
			return -1;
		choices += span + 1;
	}
}

static int parse_count(const char *text, uint64_t *ret)
{
	uint64_t n = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		if (n > UINT32_MAX)
			return -ERANGE;
		n = n * 10 + (*p - '0');
	}
	if (p == text || *p)
		return -EINVAL;
	*ret = n;
	return 0;
}

static void describe_expected(const struct param_spec *spec, char *ret, size_t size)
{
	const uint64_t second = 1000000000;

	if (spec->kind == PARAM_TIME)
		snprintf(ret, size, "%s", WHEN_TIME_EXPECTED);
	else if (spec->kind == PARAM_SPAN)
		snprintf(ret, size, "%s, from %llus to %llus", WHEN_SPAN_EXPECTED,
			 (unsigned long long)(spec->min / second),
			 (unsigned long long)(spec->max / second));
	else if (spec->kind == PARAM_COUNT)
		snprintf(ret, size, "an integer from %llu to %llu", (unsigned long long)spec->min,
			 (unsigned long long)spec->max);
	else if (spec->kind == PARAM_FLAG)
		snprintf(ret, size, "0 or 1");
	else
		snprintf(ret, size, "%s%s", spec->choices ? "one of " : "",
			 spec->choices ? spec->choices : "text");
}

static int check_range(const struct param_spec *spec, uint64_t number)
{
	return number >= spec->min && number <= spec->max ? 0 : -ERANGE;
}

static int parse_value(struct param *p, const char *text, uint64_t now_ns)
{
	int r = 0, index;

	switch (p->spec->kind) {
	case PARAM_TIME:
		return when_parse(text, now_ns, &p->number);
	case PARAM_SPAN:
		r = when_parse_span(text, &p->number);
		return r < 0 ? r : check_range(p->spec, p->number);
	case PARAM_COUNT:
		r = parse_count(text, &p->number);
		return r < 0 ? r : check_range(p->spec, p->number);
	case PARAM_FLAG:
		index = choice_index("0|1", text);
		break;
	case PARAM_CHOICE:
		index = choice_index(p->spec->choices, text);
		break;
	default:
		return 0;
	}
	p->number = index < 0 ? 0 : index;
	return index < 0 ? -EINVAL : 0;
}

static int set_value(struct param *p, const char *text, uint64_t now_ns, struct error *ret_error)
{
	char expected[200];
	int r = parse_value(p, text, now_ns);

	if (r < 0) {
		describe_expected(p->spec, expected, sizeof(expected));
		return error_set(ret_error, -EINVAL, "%s=%.60s: expected %s", p->spec->name, text,
				 expected);
	}
	p->text = text;
	return 0;
}

/* One "name=value". */
static int take_pair(struct params *p, const struct param_spec *specs, char *pair, uint64_t now_ns,
		     struct error *ret_error)
{
	char *value = strchr(pair, '='), names[200];
	struct param *param;

	if (value)
		*value++ = '\0';
	if (decode(pair) < 0 || (value && decode(value) < 0))
		return error_set(
			ret_error, -EINVAL,
			"parameter '%.60s': expected %%XX with two hexadecimal digits, not %%00",
			pair);
	param = find(p, pair);
	if (!param && !specs->name)
		return error_set(ret_error, -EINVAL,
				 "unknown parameter '%.60s': expected no parameter here", pair);
	if (!param)
		return error_set(ret_error, -EINVAL,
				 "unknown parameter '%.60s': expected one of %s", pair,
				 list_names(specs, names, sizeof(names)));
	if (!value)
		return error_set(ret_error, -EINVAL, "parameter '%s': expected %s=VALUE", pair,
				 pair);
	if (param->text)
		return error_set(ret_error, -EINVAL, "parameter '%s' is given twice: expected once",
				 pair);
	return set_value(param, value, now_ns, ret_error);
}

static int take_fallbacks(struct params *p, uint64_t now_ns)
{
	size_t i;
	int r = 0;

	for (i = 0; i < p->count && !r; i++)
		if (!p->list[i].text && p->list[i].spec->fallback)
			r = set_value(&p->list[i], p->list[i].spec->fallback, now_ns, NULL);
	return r;
}

int params_parse(struct params *ret, const struct param_spec *specs, const char *query,
		 uint64_t now_ns, struct error *ret_error)
{
	char *pair, *rest = ret->text;
	int r;

	ret->count = 0;
	for (; specs[ret->count].name; ret->count++) {
		assert(ret->count < PARAMS_MAX);
		ret->list[ret->count] = (struct param){.spec = &specs[ret->count]};
	}
	if (query && strlen(query) > PARAMS_TEXT_MAX)
		return error_set(ret_error, -EINVAL,
				 "query string too long: expected at most %d bytes",
				 PARAMS_TEXT_MAX);
	strcpy(ret->text, query ? query : "");
	while ((pair = strsep(&rest, "&"))) {
		if (!*pair)
			continue;
		r = take_pair(ret, specs, pair, now_ns, ret_error);
		if (r < 0)
			return r;
	}
	r = take_fallbacks(ret, now_ns);
	assert(!r);
	return r;
}

static const struct param *get(const struct params *p, const char *name)
{
	const struct param *param = find((struct params *)p, name);

	assert(param);
	return param;
}

const char *params_text(const struct params *p, const char *name)
{
	return get(p, name)->text;
}

uint64_t params_number(const struct params *p, const char *name)
{
	return get(p, name)->number;
}
