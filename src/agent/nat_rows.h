/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the flow maps meet translations.
 *
 *     nobody translates the remote end ─────────────────────────────► as it is
 *     translated, found ─► with the real other end, ports folded away
 *     translated, not found yet ─► waits, NAT_ROWS_WINDOWS ─► as it is, unresolved
 *     virtual by now, but was not when it was folded ───────► as it is, unresolved
 *
 * Limit: NAT_ROWS_MAX rows wait; what finds no room does not wait.
 */
#pragma once

#include <stdint.h>

#include "agent/flow_table.h"
#include "agent/nat.h"

#define NAT_ROWS_MAX     1024
#define NAT_ROWS_WINDOWS 2

struct nat_rows;

/* A row on its way; netns, tgid, cgroup, local address and role of the key are as they came, and
 * the ephemeral port is 0. nat: NULL if nobody translated it. */
typedef void (*nat_row_fn)(void *userdata, const struct mr_flow_key *key,
			   const struct mr_flow_value *value, const struct flow_nat *nat);

/* nat: borrowed. NULL: no memory. */
struct nat_rows *nat_rows_new(struct nat *nat, nat_row_fn fn, void *userdata);
struct nat_rows *nat_rows_free(struct nat_rows *w); /* always NULL; accepts NULL */

void nat_rows_add(struct nat_rows *w, const struct mr_flow_key *key,
		  const struct mr_flow_value *value);
/* Looks again for those that wait, once a window, before the window's own rows. last: nobody may
 * wait any longer. */
void nat_rows_retry(struct nat_rows *w, bool last);

/* Of a key as it came, where it leads as far as is known now; for what comes beside the rows. True:
 * it is translated, and *ret_nat tells how. */
bool nat_rows_translate(const struct nat_rows *w, struct mr_flow_key *key,
			struct flow_nat *ret_nat);

uint64_t nat_rows_unresolved(const struct nat_rows *w);
