/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of a request: a route declares them in a table, this parses a query string against
 * it. Help, errors, defaults and docs/openapi.yaml's test read the same table.
 *
 * Bytes in, values out: the clock is given. What is unknown, doubled, malformed or out of range is
 * refused with a line that says what was expected. Bounds: PARAMS_MAX, PARAMS_TEXT_MAX.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PARAMS_MAX	16
#define PARAMS_TEXT_MAX 8192 /* of a whole query string */

enum param_kind {
	PARAM_TIME = 1, /* number: unix nanoseconds */
	PARAM_SPAN,	/* number: nanoseconds, within min and max */
	PARAM_COUNT,	/* number: an integer within min and max */
	PARAM_FLAG,	/* number: 0 or 1 */
	PARAM_CHOICE,	/* number: which of the choices, from 0 */
	PARAM_TEXT,	/* text only */
};

struct param_spec {
	const char *name; /* a table of them ends with NULL */
	enum param_kind kind;
	const char *fallback; /* what it is when not given; NULL: absent */
	const char *choices;  /* PARAM_CHOICE: "joined|ends" */
	uint64_t min, max;    /* PARAM_COUNT; PARAM_SPAN in ns */
	const char *help;
};

struct param {
	const struct param_spec *spec;
	const char *text; /* decoded; NULL: absent */
	uint64_t number;
};

struct params {
	struct param list[PARAMS_MAX]; /* in the order of the table */
	size_t count;
	char text[PARAMS_TEXT_MAX + 1];
};

/* query: what stands behind '?'; "" or NULL: nothing. -EINVAL with a line for people. */
int params_parse(struct params *ret, const struct param_spec *specs, const char *query,
		 uint64_t now_ns, struct error *ret_error);

/* By a name that the table has. text: NULL if absent; number: 0 if absent. */
const char *params_text(const struct params *p, const char *name);
uint64_t params_number(const struct params *p, const char *name);
