/* SPDX-License-Identifier: Apache-2.0 */
/* What millrace itself does, costs and loses. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "table.h"

/* CPU of the agent's own thread in percent of the machine: over the last minute, or, before there
 * is such a figure, since it started. */
double agents_percent(const json_t *agent);

/* One agent at length, of several a line each. 0, -EPROTO, -ENOMEM. */
int agents_write(const json_t *json, const struct table_style *style, FILE *out);
