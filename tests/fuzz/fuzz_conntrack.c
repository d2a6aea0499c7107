/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the connection tracking, and what they lead to: a small table, all found again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/nat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_entry(void *userdata, const struct conntrack_entry *e)
{
	const struct nat_place place = {.netns = e->zone & 1, .origin = e->zone & 3};
	struct mr_flow_key key = {.role = MR_ROLE_CLIENT,
				  .port = e->original.destination_port,
				  .ephemeral = e->original.source_port};
	struct nat_answer answer;

	memcpy(key.local, e->original.source, 16);
	memcpy(key.remote, e->original.destination, 16);
	nat_note(userdata, e, &place);
	nat_find(userdata, &key, &answer);
	nat_advance(userdata);
	if (nat_count(userdata) > 8)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct nat_config config = {.entries_max = 4, .virtuals_max = 2};
	void *aligned = malloc(size ? size : 1);
	struct nat *n;

	if (!aligned || nat_new(&n, &config))
		abort();
	memcpy(aligned, data, size);
	conntrack_message_parse(aligned, size, on_entry, n);
	nat_free(n);
	free(aligned);
	return 0;
}
