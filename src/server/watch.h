/* SPDX-License-Identifier: Apache-2.0 */
/* Agents that fall silent, come back, start anew: told as events when it happens. */
#pragma once

#include "server/learn.h"

/* A batch is about to be taken; of a new life or not. */
void watch_heard(struct core *c, struct reporter *r, bool new_life, uint64_t now_ns);
