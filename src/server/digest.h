/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, by GnuTLS. Its headers stay away from ours: both have a `params`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32

struct digest {
	uint8_t bytes[DIGEST_SIZE];
};

struct digest digest_of(const void *data, size_t size);
bool digest_equal(const struct digest *a, const struct digest *b); /* in constant time */
