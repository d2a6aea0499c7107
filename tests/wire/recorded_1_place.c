/* SPDX-License-Identifier: Apache-2.0 */
/* Version 1 as the first agents on other machines spoke it; see recorded.h. Never changed. */
#include "recorded.h"

static struct wire_cover covers[] = {
	{0, {[10] = 0xff, 0xff, 10, 1, 2, 3}},
	{0, {0xfd, 0, [15] = 1}},
	{4026532201u, {[10] = 0xff, 0xff, 172, 17, 0, 2}},
};

static uint32_t retired_actors[] = {17, 8191};

struct wire_batch *recorded_1_place(void)
{
	struct wire_batch *b = recorded_1();

	if (!b)
		return NULL;
	b->zone = "eu-west-1a";
	b->region = "eu-west-1";
	b->cgroup = "/sys/fs/cgroup/kubepods.slice";
	b->windows = 3600;
	b->definitions = true; /* not with windows in earnest */
	b->covers_changed = true;
	b->covers = covers;
	b->cover_count = 3;
	b->retired_actors = retired_actors;
	b->retired_actor_count = 2;
	b->loss[WIRE_LOSS_REFUSED_BY_SERVER] = 2300;
	b->loss[WIRE_LOSS_PENDING_FULL] = 2400;
	return b;
}
