/* SPDX-License-Identifier: Apache-2.0 */
/* The joined table: who talks to whom, with addresses and processes, a row a flow. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "table.h"

/* Rows whose time is not after `after` are left out: they were shown before. 0, -ENOMEM, -EPROTO.
 */
int flows_write(const json_t *json, bool with_time, double after, const struct table_style *style,
		FILE *out);

/* The newest time in the answer, at least `after`. */
double flows_latest(const json_t *json, double after);
