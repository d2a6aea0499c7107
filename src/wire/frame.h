/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One zstd frame with a checksum, which says how much it holds: what opens it knows how much memory
 * that takes before it takes any, and never writes more.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* *ret: owned, for free(). -ENOMEM. */
int frame_pack(const void *data, size_t size, uint8_t **ret, size_t *ret_size);

/* How much a frame says it holds. -EBADMSG: not exactly one frame, or it does not say. */
int frame_measure(const void *data, size_t size, uint64_t *ret_content);

/* into: of exactly the size that frame_measure gave. -EBADMSG: damaged, or it holds more or less.
 * -ENOMEM. */
int frame_unpack(const void *data, size_t size, void *into, size_t into_size);
