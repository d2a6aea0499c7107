/* SPDX-License-Identifier: Apache-2.0 */
/* An end of a connection dressed for an answer. */
#pragma once

#include "server/resolve.h"

/* port 0: folded away. Strings are copied into the arena. -ENOMEM. */
int dress_end(const struct core *c, const struct end *end, uint16_t port, struct arena *arena,
	      struct query_endpoint *ret);

/* What a client asked for, as text; "" for port 0. NULL: no memory. */
const char *dress_via(const uint8_t via[16], uint16_t port, struct arena *arena);
