/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch as bytes: wire/millrace.proto in one zstd frame. A function of the batch alone, so the
 * same batch gives the same bytes.
 *
 * Rows keep their order, but updates travel sorted by their flow's handle, which makes them smaller
 * and means nothing to who adds them up.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/batch.h"

#define WIRE_VERSION         1
#define WIRE_STRING_SIZE_MAX 4095

/* *ret: owned, for free(). -EINVAL: the batch breaks what batch.h promises (a string too long, more
 * drops than WIRE_DROPS_MAX). -ENOMEM. */
int wire_encode(const struct wire_batch *b, uint8_t **ret, size_t *ret_size);
