/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A range of history as sums and gauges per flow: the raw material of every answer.
 *
 * Counters are of the windows whose end lies in (from, to]. Gauges are the running ones less what
 * came after `to`; so a flow that stood still in the range is there too while something of it is
 * open. In a gap of its agent a gauge is as it was told last, unless another
 * agent knows better.
 *
 * With several agents sums are kept apart by what they count as (owner.h), in core->step too.
 */
#pragma once

#include "server/core.h"

/* Uses core->range and core->step; the result is core->range. -ENOMEM. */
int gather(struct core *c, const struct query_range *range, uint64_t now_ns);
/* As every agent told it, nothing apart or left out. */
int gather_raw(struct core *c, const struct query_range *range, uint64_t now_ns);

/* Figures of how much of the range is in the numbers, from core->range. -ENOMEM. */
int gather_completeness(struct core *c, const struct query_range *range, uint64_t now_ns,
			struct arena *arena, struct query_completeness *ret);

/* All causes of `loss` that are not 0 (all: also those that are) and in [first, end). -ENOMEM. */
int gather_losses(const uint64_t *loss, unsigned int first, unsigned int end, bool all,
		  struct arena *arena, struct query_loss **ret, size_t *ret_count);
