/* SPDX-License-Identifier: Apache-2.0 */
/* `millrace events`: what became of processes and containers, the newest last. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* A line for each event later than `after` (unix seconds). 0, -EPROTO, -ENOMEM. */
int events_write(const json_t *json, double after, FILE *out);

/* All of them with their sums below; filtered: the user did ask for some only. */
int events_write_all(const json_t *json, bool filtered, FILE *out);

/* The newest time in the answer, `after` if there is none later. */
double events_latest(const json_t *json, double after);
