/* SPDX-License-Identifier: Apache-2.0 */
/* The ten lines that `millrace up` prints at its start. */
#pragma once

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

struct listen_address;

#define START_LINES 10

/* Waits for the first windows, a few seconds at most, and prints. false: one of the signals came.
 */
bool start_report(const struct listen_address *address, const sigset_t *ending);

/* The lines themselves, from the API's graph and agents; either may be NULL. */
int start_write(const char *url, const json_t *graph, const json_t *agents, FILE *out);
