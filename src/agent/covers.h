/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses of this machine, in the network namespace that the agent is in: a flow whose client
 * has one of them is this agent's to tell.
 *
 * The kernel tells when one comes or goes; only then they are read again, and at most once a
 * second. Where it does not tell, they are read every ten seconds. Loopback and link-local
 * addresses mean nothing elsewhere and are left out.
 *
 * Limit: COVERS_MAX, the rest is not told.
 */
#pragma once

#include <stdint.h>

#include "wire/batch.h"

#define COVERS_MAX 2048

struct covers;

int covers_new(struct covers **ret);          /* -ENOMEM */
struct covers *covers_free(struct covers *c); /* always NULL; accepts NULL */

/* The whole set into the batch, if it is not what was reported last. -ENOMEM. */
int covers_report(struct covers *c, struct wire_batch *b, uint64_t now_ns);
