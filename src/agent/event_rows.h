/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of processes and containers in the window at hand, folded: a row for each actor and
 * way, however many they were.
 *
 * Limit: EVENT_ROWS_MAX rows a window; what finds no room is counted.
 */
#pragma once

#include "wire/batch.h"

#define EVENT_ROWS_MAX 1024

struct event_rows;

struct event_rows *event_rows_new(void);                  /* NULL: no memory */
struct event_rows *event_rows_free(struct event_rows *t); /* always NULL; accepts NULL */

/* One more like this; its count is not looked at, its times are both last_ns. */
void event_rows_add(struct event_rows *t, const struct wire_event *event);

/* Moves all rows to the batch. -ENOMEM: they stay. */
int event_rows_report(struct event_rows *t, struct wire_batch *batch);

uint64_t event_rows_lost(const struct event_rows *t); /* events without room */

/* How a process ended, from what wait() gives: kind and code. */
void event_rows_read_status(uint32_t status, struct wire_event *ret);
