/* SPDX-License-Identifier: Apache-2.0 */
#include "base/when.h"

#include <errno.h>
#include <stdbool.h>
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

/* So many digits, and what follows them; *text moves behind both. */
static int parse_field(const char **text, unsigned int digits, char next, unsigned int *ret)
{
	const char *p = *text;

	*ret = 0;
	for (; digits; digits--, p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		*ret = *ret * 10 + (unsigned int)(*p - '0');
	}
	if (next && *p++ != next)
		return -EINVAL;
	*text = p;
	return 0;
}

/* Days since 1970 of a date of the Gregorian calendar: years begin in March, so that the day which
 * some years have is their last. */
static int64_t days_of(unsigned int year, unsigned int month, unsigned int day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = y / 400, of_era = y % 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static unsigned int days_in(unsigned int year, unsigned int month)
{
	bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;

	if (month == 2)
		return leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static int parse_date(const char **text, int64_t *ret_seconds)
{
	unsigned int year, month, day;

	if (parse_field(text, 4, '-', &year) < 0 || parse_field(text, 2, '-', &month) < 0 ||
	    parse_field(text, 2, 0, &day) < 0)
		return -EINVAL;
	if (year < 1970 || !month || month > 12 || !day || day > days_in(year, month))
		return -EINVAL;
	*ret_seconds = days_of(year, month, day) * 86400;
	return 0;
}

/* "T12:30", "T12:30:15" */
static int parse_clock(const char **text, int64_t *ret_seconds)
{
	unsigned int hour, minute, second = 0;

	++*text;
	if (parse_field(text, 2, ':', &hour) < 0 || parse_field(text, 2, 0, &minute) < 0)
		return -EINVAL;
	if (**text == ':' && (++*text, parse_field(text, 2, 0, &second) < 0))
		return -EINVAL;
	if (hour > 23 || minute > 59 || second > 59)
		return -EINVAL;
	*ret_seconds = hour * 3600 + minute * 60 + second;
	return 0;
}

/* "Z", "+02:00", nothing */
static int parse_zone(const char **text, int64_t *ret_seconds)
{
	unsigned int hour, minute;
	int sign = **text == '-' ? -1 : 1;

	*ret_seconds = 0;
	if (**text == 'Z')
		++*text;
	else if (**text == '+' || **text == '-') {
		++*text;
		if (parse_field(text, 2, ':', &hour) < 0 || parse_field(text, 2, 0, &minute) < 0 ||
		    hour > 14 || minute > 59)
			return -EINVAL;
		*ret_seconds = sign * (int64_t)(hour * 3600 + minute * 60);
	}
	return **text ? -EINVAL : 0;
}

static int parse_iso(const char *text, uint64_t *ret_ns)
{
	int64_t date, clock = 0, zone = 0, seconds;
	int r = parse_date(&text, &date);

	if (!r && *text == 'T')
		r = parse_clock(&text, &clock);
	if (!r)
		r = parse_zone(&text, &zone);
	if (r < 0)
		return r;
	seconds = date + clock - zone;
	if (seconds > (int64_t)SECONDS_MAX)
		return -ERANGE;
	*ret_ns = seconds > 0 ? (uint64_t)seconds * NS_PER_SECOND : 0;
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
	if (strlen(text) > 4 && text[4] == '-')
		return parse_iso(text, ret_ns);
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
