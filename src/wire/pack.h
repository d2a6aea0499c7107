/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column of whole numbers in few bits: small ones, and those that come often, take few.
 *
 *     unit: varint · first, last: a byte each · lengths: 4 bits each, first to last · codes
 *
 * Each number is a multiple of the unit, their greatest common divisor (the kernel counts waiting
 * in ticks, of 4000 µs or so). What is left is a class and, for the larger, bits of its own:
 * classes 0 to 7 are the numbers themselves, class 8 + k holds those of 4 + k bits, of which all
 * but the highest follow. Classes have prefix codes of at most PACK_LENGTH_MAX bits, canonical, by
 * their lengths alone: of equal length by class, lower ones first. Where one class is all there is
 * its length is 0. Bits go low ones first, codes high ones first; what is left of the last byte is
 * 0.
 *
 * That is Deflate's way with distances (RFC 1951, 3.2.5 and 3.2.7), with tables of a few bytes, so
 * that it pays from a few dozen numbers on. Exact for all of 64 bits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PACK_CLASSES    (8 + 61)
#define PACK_LENGTH_MAX 8
/* What n numbers take at the most. */
#define PACK_BOUND(n) (10 + 2 + PACK_CLASSES / 2 + 1 + (n)*9 + 8)

/* Into: of PACK_BOUND(count) bytes. Returns how many it took. count > 0. */
size_t pack(const uint64_t *values, size_t count, uint8_t *into);

/* Exactly count numbers from exactly size bytes. -EBADMSG: that is not what they are. */
int unpack(const uint8_t *data, size_t size, uint64_t *ret, size_t count);

/* Differences that may be negative, as small numbers. */
static inline uint64_t pack_zigzag(uint64_t v)
{
	return v << 1 ^ (0 - (v >> 63));
}

static inline uint64_t pack_unzigzag(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}
