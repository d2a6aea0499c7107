/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text between people and the program: what they type in, and what a terminal may be shown.
 *
 * Names come from the machine as it is. Nothing reaches a terminal but through human_clean(): it
 * takes away control characters, escape sequences, characters that reorder a line, and, where the
 * terminal cannot show them, all that is not ASCII.
 *
 * Numbers are written in at most HUMAN_NUMBER_MAX columns, decimal units as in "136 MB".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define HUMAN_NUMBER_MAX  10
#define HUMAN_NUMBER_SIZE 32

/* "50ms", "1s", "1.5s", "2m", "1h", "200us" into nanoseconds; -EINVAL, or -ERANGE past a day. */
int human_parse_duration(const char *text, uint64_t *ret_ns);
#define HUMAN_DURATION_EXPECTED "a duration such as 50ms, 1s or 2m"

/* A whole decimal number from 1 to 2^32 - 1; -EINVAL. */
int human_parse_count(const char *text, uint32_t *ret);

/* "0.1", "0.1%", "5" into percent: more than 0, at most 100; -EINVAL. */
int human_parse_percent(const char *text, double *ret);

/* Whether the user's locale shows more than ASCII, and the locale in which widths are right.
 * Once, at the start of the program. */
void human_init(void);
void human_set_unicode(bool unicode);
bool human_unicode(void);

/* A copy of UTF-8 text that a terminal can be shown; owned by the caller; NULL without memory. */
char *human_clean(const char *hostile);

/* Prints it cleaned. */
void human_print(FILE *out, const char *hostile);

/* Columns that cleaned text takes. */
int human_width(const char *clean);

/* How many bytes of it fit into so many columns, and how many columns those take. */
size_t human_fit(const char *clean, int columns, int *ret_width);

/* Numbers for people, into a buffer of HUMAN_NUMBER_SIZE, which they return. */
char *human_bytes(char *buffer, double bytes);             /* "3.2 KB" */
char *human_rate(char *buffer, double bytes_a_second);     /* "3.2 KB/s" */
char *human_count(char *buffer, double count);             /* "980", "12.3k" */
char *human_microseconds(char *buffer, double us);         /* "85 us", "1.2 ms", "3.0 s" */
char *human_span(char *buffer, double seconds);            /* "12 s", "5 min", "3 h", "2 days" */
char *human_percent(char *buffer, double part, double of); /* "0.3 %", "100 %" */
