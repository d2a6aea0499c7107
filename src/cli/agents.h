/* SPDX-License-Identifier: Apache-2.0 */
/* What millrace itself does, costs and loses. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* CPU of the agent's own thread in percent of the machine: over the last minute, or, before there
 * is such a figure, since it started. */
double agents_percent(const json_t *agent);

int agents_write(const json_t *json, FILE *out); /* 0, -EPROTO */
