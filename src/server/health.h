/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edge's figures say about it, in one word. Deliberately simple; findings come later.
 *
 * failing   connections were tried, none opened in the range, none is open, and some failed or one
 * has been waiting for longer than a second degraded  some failed, or one has been waiting; or the
 * peer stopped answering; or the server reset more than 1 in 20 of those that closed; or more than
 * 1 segment in 50 was sent again, or 1 datagram in 50 found a receive queue full. A client that resets is not counted: many do so to close quickly.
 * ok        else
 */
#pragma once

#include "server/plan.h"

enum health { HEALTH_OK, HEALTH_DEGRADED, HEALTH_FAILING };

enum health health_of(const struct joined *j);
const char *health_name(enum health h);
