/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mesh of services, for windows as a busy node has them: each service is a process that serves at
 * an address of its own and calls some of the others, each at its own pace and with sizes of its
 * own. Three calls in four go over connections that are kept, the fourth opens one for each
 * request.
 *
 * Over loopback in a network namespace of its own. Half of them are `near`, as if on the node that
 * is observed, the others `far`; each calls only the other half, so that who observes `near` sees
 * one end of every connection, as on a node of a cluster.
 */
#pragma once

#include <sys/types.h>

#include "place.h"

#define MESH_SERVICES 64
#define MESH_CALLS    10 /* of each service: others that it calls */

struct mesh {
	struct place near, far;
	int netns;
	pid_t pid[MESH_SERVICES];
};

void mesh_start(struct mesh *m, const struct bench *b);
void mesh_stop(struct mesh *m);
