/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes from anybody as a batch.
 *
 * Whatever comes, memory stays within the limits: what a frame holds is known before it is opened,
 * and all that is made of it, the schema's messages and the batch, is charged to one budget. What
 * does not fit its columns is refused as a whole; numbers and fields that are not known here are
 * skipped. A batch that comes out keeps what batch.h says of its shapes; what its values mean
 * (roles, events, counters) is for the receiver to judge.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/batch.h"

struct wire_limits {
	size_t compressed_size_max, content_size_max; /* bytes */
	size_t memory_size_max; /* bytes for one batch; what the arenas take is at most twice that
				 */
	size_t string_size_max; /* bytes of one */
	uint32_t strings_max, addresses_max;
	uint32_t actors_max, flows_max, retired_max, updates_max, names_max, listeners_max;
	uint32_t covers_max, events_max, netns_max;
	uint32_t connections_max; /* of an answer */
	uint32_t shapes_max;
	uint32_t handle_max;
};

/* Room for all that an agent within its own bounds can say. */
extern const struct wire_limits wire_limits_default;

/*
 * limits: borrowed; NULL: wire_limits_default. *ret: owned.
 * -EPROTONOSUPPORT: of another version of the schema. -E2BIG: beyond a limit. -EBADMSG: no batch,
 * or damaged. -ENOMEM.
 */
int wire_decode(const void *data, size_t size, const struct wire_limits *limits,
		struct wire_batch **ret, struct error *ret_error);
