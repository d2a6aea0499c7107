/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows that only carry what other flows are: to one's own sidecar, and the outside of a tunnel.
 * They are shown and never summed: what they carry counts by itself.
 *
 *     sidecar   a client was redirected (it asked for somebody else) into its own network
 * namespace; or who took connections over for a port hands them to it there tunnel    UDP on a port
 * of tunnels (carrier.c has the table), or of a socket of the kernel's own, which has no process
 */
#pragma once

#include "server/flow.h"

enum carrier { CARRIER_NONE, CARRIER_SIDECAR, CARRIER_TUNNEL, CARRIER_COUNT };

struct core;

/* server: the actor at the flow's remote end; NULL: not known. Of a server-role flow NULL. */
enum carrier carrier_of(const struct core *c, const struct flow_id *id, const struct actor *server);

const char *carrier_name(enum carrier carrier); /* "", "sidecar", "tunnel" */
