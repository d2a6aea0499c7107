/* SPDX-License-Identifier: Apache-2.0 */
/* See probe_batch.h. */
#include "agent/probe_batch.h"

#include <errno.h>

#include <bpf/bpf.h>

int probe_batch_next(struct probe_batch *b, void *keys, void *values, uint32_t *ret_count)
{
	uint32_t *from = b->begun ? &b->token : NULL;
	int r;

	*ret_count = 0;
	if (b->ended)
		return 0;
	*ret_count = PROBE_BATCH_MAX;
	if (b->removes)
		r = bpf_map_lookup_and_delete_batch(b->map, from, &b->token, keys, values,
						    ret_count, NULL);
	else
		r = bpf_map_lookup_batch(b->map, from, &b->token, keys, values, ret_count, NULL);
	if (r && errno != ENOENT)
		return -errno;
	b->begun = true;
	b->ended = r;
	return 1;
}
