/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How finely the past is kept. Each level is made of the one before: a slot of it is closed when
 * all that belongs there has come, and from then on both hold the same sums until the finer one is
 * forgotten. A block belongs to the slot ((n - 1) width, n width] in which it ends.
 */
#pragma once

#include <stdint.h>

#define LEVEL_SECOND UINT64_C(1000000000)
#define LEVEL_HOUR   (3600 * LEVEL_SECOND)
#define LEVEL_DAY    (24 * LEVEL_HOUR)

/* id, name, width of a slot, kept for */
#define STORE_LEVELS(X)                                                                            \
	X(FINE, "fine", 1, 600 * LEVEL_SECOND)                                                     \
	X(TENS, "10s", 10 * LEVEL_SECOND, 6 * LEVEL_HOUR)                                          \
	X(MINUTES, "1m", 60 * LEVEL_SECOND, 4 * LEVEL_DAY)                                         \
	X(HOURS, "1h", LEVEL_HOUR, 90 * LEVEL_DAY)                                                 \
	X(DAYS, "1d", LEVEL_DAY, 730 * LEVEL_DAY)

#define STORE_LEVEL_ENUM(id, name, width, keep) LEVEL_##id,
enum store_level { STORE_LEVELS(STORE_LEVEL_ENUM) LEVEL_COUNT };

struct store_level_kind {
	const char *name;
	uint64_t width_ns, keep_ns;
};
extern const struct store_level_kind store_level_kinds[LEVEL_COUNT];

/* What the file says of a level. */
struct store_level_state {
	uint64_t closed_ns;     /* slots up to here are made; of the fine one not used */
	uint64_t next_reporter; /* … and the next one for reporters below this */
	uint64_t
		forgotten_ns; /* nothing that ends up to here is left; a border of the next level */
	uint64_t cut_rows;    /* of it, forgotten before their time, for want of room */
};

static inline uint64_t level_width(unsigned int level)
{
	return store_level_kinds[level].width_ns;
}

static inline uint64_t level_floor(unsigned int level, uint64_t ns)
{
	return ns - ns % level_width(level);
}

/* The end of the slot that a block with this end belongs to. */
static inline uint64_t level_slot_end(unsigned int level, uint64_t end_ns)
{
	return end_ns ? level_floor(level, end_ns - 1) + level_width(level) : 0;
}
