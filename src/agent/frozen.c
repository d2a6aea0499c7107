/* SPDX-License-Identifier: Apache-2.0 */
/* See frozen.h. */
#include "agent/frozen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/encode.h"

static uint32_t *copy_handles(const uint32_t *handles, size_t count)
{
	uint32_t *copy = malloc((count + 1) * sizeof(*copy));

	if (copy && count)
		memcpy(copy, handles, count * sizeof(*copy));
	return copy;
}

int frozen_make(struct frozen *f, const struct wire_batch *b, uint64_t suspended_ns)
{
	int r;

	*f = (struct frozen){.sequence = b->sequence,
			     .rows = b->update_count,
			     .windows = b->windows ? b->windows : 1,
			     .suspended_ns = suspended_ns,
			     .retired = copy_handles(b->retired, b->retired_count),
			     .retired_actors =
				     copy_handles(b->retired_actors, b->retired_actor_count),
			     .retired_count = b->retired_count,
			     .retired_actor_count = b->retired_actor_count};
	r = f->retired && f->retired_actors ? wire_encode(b, &f->data, &f->size) : -ENOMEM;
	if (r < 0)
		frozen_drop(f);
	return r;
}

void frozen_drop(struct frozen *f)
{
	free(f->data);
	free(f->retired);
	free(f->retired_actors);
	*f = (struct frozen){0};
}
