/* SPDX-License-Identifier: Apache-2.0 */
/* `millrace events`: what became of processes and containers, the newest last. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* A line for each event later than `after` (unix seconds); all: also the sums below. 0, -EPROTO. */
int events_write(const json_t *json, double after, bool all, FILE *out);

/* The newest time in the answer, `after` if there is none later. */
double events_latest(const json_t *json, double after);
