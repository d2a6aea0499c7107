/* SPDX-License-Identifier: Apache-2.0 */
#include "base/when.h"

#include <errno.h>
#include <string.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define SECONDS_MAX   (INT64_MAX / NS_PER_SECOND - 1)

/* Digits, and at most nine more behind a point, as nanoseconds; *text moves behind them. */
static int parse_decimal(const char **text, uint64_t *ret_ns)
{
	const char *p = *text;
	uint64_t seconds = 0, fraction = 0, unit = NS_PER_SECOND;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		seconds = seconds * 10 + (*p - '0');
		if (seconds > SECONDS_MAX)
			return -ERANGE;
	}
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++) {
			unit /= 10; /* finer than a nanosecond: ignored */
			fraction += unit * (*p - '0');
		}
	}
	*text = p;
	*ret_ns = seconds * NS_PER_SECOND + fraction;
	return 0;
}

static uint64_t unit_seconds(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	default:
		return 0;
	}
}

/* A decimal and its unit, "1.5h". */
static int parse_span(const char *text, uint64_t *ret_ns)
{
	uint64_t ns, unit;
	int r = parse_decimal(&text, &ns);

	if (r < 0)
		return r;
	unit = unit_seconds(text[0]);
	if (!unit || text[1])
		return -EINVAL;
	if (ns > INT64_MAX / unit)
		return -ERANGE;
	*ret_ns = ns * unit;
	return 0;
}

int when_parse(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	uint64_t ns;
	int r;

	if (!strcmp(text, "now")) {
		*ret_ns = now_ns;
		return 0;
	}
	if (text[0] == '-') {
		r = parse_span(text + 1, &ns);
		if (r < 0)
			return r;
		*ret_ns = ns < now_ns ? now_ns - ns : 0;
		return 0;
	}
	r = parse_decimal(&text, &ns);
	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	*ret_ns = ns;
	return 0;
}

int when_parse_span(const char *text, uint64_t *ret_ns)
{
	const char *rest = text;
	uint64_t ns;
	int r = parse_decimal(&rest, &ns);

	if (r < 0)
		return r;
	if (*rest)
		return parse_span(text, ret_ns);
	*ret_ns = ns;
	return 0;
}
