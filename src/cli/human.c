/* SPDX-License-Identifier: Apache-2.0 */
#include "human.h"

#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#define DURATION_MAX_NS (24ull * 3600 * 1000000000)

static bool unicode = true;

void human_init(void)
{
	setlocale(LC_ALL, "");
	unicode = !strcmp(nl_langinfo(CODESET), "UTF-8");
	/* from here on for the decoder and wcwidth(): names are UTF-8 whatever the user speaks,
	 * and numbers keep their point */
	setlocale(LC_ALL, "C.UTF-8");
}

void human_set_unicode(bool on)
{
	unicode = on;
}

bool human_unicode(void)
{
	return unicode;
}

static bool starts_with_digit(const char *s)
{
	return *s >= '0' && *s <= '9';
}

static const struct unit {
	const char *name;
	double ns;
} units[] = {
	{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9},
};

int human_parse_duration(const char *text, uint64_t *ret_ns)
{
	char *end;
	double value;

	if (!starts_with_digit(text) || strpbrk(text, "xXeEpP"))
		return -EINVAL;
	value = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		value *= units[i].ns;
		if (value < 1)
			return -EINVAL;
		if (value > DURATION_MAX_NS)
			return -ERANGE;
		*ret_ns = (uint64_t)llround(value);
		return 0;
	}
	return -EINVAL;
}

int human_parse_count(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long long value;

	if (!starts_with_digit(text))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end || errno || value < 1 || value > UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)value;
	return 0;
}

int human_parse_percent(const char *text, double *ret)
{
	char *end;
	double value;

	if ((!starts_with_digit(text) && *text != '.') || strpbrk(text, "xXeEpP"))
		return -EINVAL;
	value = strtod(text, &end);
	if (end == text || (*end && strcmp(end, "%")) || !(value > 0) || value > 100)
		return -EINVAL;
	*ret = value;
	return 0;
}

/* Characters that show nothing and reorder, hide or join what stands beside them. */
static bool reorders(wchar_t c)
{
	return c == 0xad || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

static bool may_show(wchar_t c)
{
	return iswprint((wint_t)c) && wcwidth(c) >= 0 && !reorders(c) && (c < 0x80 || unicode);
}

/* Marks over one character: a few are a language, a hundred cover the lines around. */
#define MARKS_MAX 3

/* What stands in place of a character that may not be shown. */
static const char *replacement(void)
{
	return unicode ? "\xef\xbf\xbd" : "?";
}

char *human_clean(const char *hostile)
{
	size_t left = strlen(hostile);
	char *clean = malloc(left * 3 + 1), *out = clean;
	mbstate_t state = {0};
	int marks = 0;

	if (!clean)
		return NULL;
	while (left) {
		wchar_t c;
		size_t n = mbrtowc(&c, hostile, left, &state);
		bool whole = n != (size_t)-1 && n != (size_t)-2;

		if (!whole || !n) {
			memset(&state, 0, sizeof(state));
			n = 1;
		}
		marks = whole && n && wcwidth(c) == 0 ? marks + 1 : 0;
		if (whole && may_show(c) && marks <= MARKS_MAX)
			out = mempcpy(out, hostile, n);
		else if (marks <= MARKS_MAX)
			out = stpcpy(out, replacement());
		hostile += n;
		left -= n;
	}
	*out = '\0';
	return clean;
}

void human_print(FILE *out, const char *hostile)
{
	char *clean = human_clean(hostile);

	fputs(clean ? clean : "?", out);
	free(clean);
}

size_t human_fit(const char *clean, int columns, int *ret_width)
{
	size_t at = 0, size = strlen(clean);
	mbstate_t state = {0};
	int used = 0;

	while (at < size) {
		wchar_t c;
		size_t n = mbrtowc(&c, clean + at, size - at, &state);
		int width;

		if (n == 0 || n == (size_t)-1 || n == (size_t)-2)
			break;
		width = wcwidth(c) > 0 ? wcwidth(c) : 0;
		if (used + width > columns)
			break;
		used += width;
		at += n;
	}
	*ret_width = used;
	return at;
}

int human_width(const char *clean)
{
	int width;

	human_fit(clean, INT_MAX, &width);
	return width;
}

/* Three figures and a unit: 1.23 would promise more than people read. */
static char *with_unit(char *buffer, double value, const char *const *names, double step,
		       const char *tail)
{
	double size = fabs(value);
	size_t i = 0;

	while (names[i + 1] && size >= step * 0.9995) {
		size /= step;
		value /= step;
		i++;
	}
	snprintf(buffer, HUMAN_NUMBER_SIZE, "%.*f%s%s", i && size < 9.95 ? 1 : 0, value, names[i],
		 tail);
	return buffer;
}

char *human_bytes(char *buffer, double bytes)
{
	static const char *const names[] = {" B", " KB", " MB", " GB", " TB", " PB", NULL};

	return with_unit(buffer, bytes, names, 1000, "");
}

char *human_rate(char *buffer, double bytes_a_second)
{
	static const char *const names[] = {" B", " KB", " MB", " GB", " TB", " PB", NULL};

	return with_unit(buffer, bytes_a_second, names, 1000, "/s");
}

char *human_count(char *buffer, double count)
{
	static const char *const names[] = {"", "k", "M", "G", "T", "P", NULL};

	return with_unit(buffer, count, names, 1000, "");
}

char *human_microseconds(char *buffer, double us)
{
	static const char *const names[] = {" us", " ms", " s", NULL};

	return with_unit(buffer, us, names, 1000, "");
}

char *human_span(char *buffer, double seconds)
{
	if (seconds < 120)
		snprintf(buffer, HUMAN_NUMBER_SIZE, "%.0f s", seconds);
	else if (seconds < 2 * 3600)
		snprintf(buffer, HUMAN_NUMBER_SIZE, "%.0f min", seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(buffer, HUMAN_NUMBER_SIZE, "%.0f h", seconds / 3600);
	else
		snprintf(buffer, HUMAN_NUMBER_SIZE, "%.0f days", seconds / 86400);
	return buffer;
}

char *human_percent(char *buffer, double part, double of)
{
	double percent = of > 0 ? 100 * part / of : 0;
	int decimals = percent >= 9.95 || percent == 0 ? 0 : percent >= 0.095 ? 1 : 3;

	/* never round a loss away */
	if (percent < 100 && percent > 99.5) {
		decimals = 3;
		percent = fmin(percent, 99.999);
	}
	snprintf(buffer, HUMAN_NUMBER_SIZE, "%.*f %%", decimals, percent);
	return buffer;
}
