/* SPDX-License-Identifier: Apache-2.0 */
/* See sweep.h. */
#include "agent/sweep.h"

#define SLICE_SOCKETS 1024 /* ~0.5 ms */

static bool is_over(const struct sweep *s, const struct sweep_how *how, bool end_of_table)
{
	if (how->everything)
		return end_of_table && s->whole_pass;
	return end_of_table || s->visited >= how->visits_max;
}

int sweep_slice(struct sweep *s, struct probe *probe, const struct sweep_how *how, bool *ret_done)
{
	uint32_t left = how->everything ? UINT32_MAX : how->visits_max - s->visited;
	const struct probe_sweep slice = {.sockets_max =
						  left < SLICE_SOCKETS ? left : SLICE_SOCKETS,
					  .backoff_max = how->backoff_max,
					  .everything = how->everything};
	bool end_of_table = true;
	int r;

	if (!s->visited || how->everything != s->everything)
		s->whole_pass = !s->amid_pass;
	s->everything = how->everything;
	r = probe_sweep(probe, &slice, &end_of_table);
	s->visited += slice.sockets_max;
	s->amid_pass = !end_of_table;
	*ret_done = r < 0 || is_over(s, how, end_of_table);
	s->whole_pass |= end_of_table;
	if (*ret_done)
		s->visited = 0;
	return r;
}
