/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which field of a row travels in which column, and how: tables that both directions read.
 *
 * A column is an array of 64-bit values in the schema's message, whatever the field's width; the
 * reader holds each value against the field's bounds.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum wire_coding {
	WIRE_CODING_PLAIN,
	WIRE_CODING_DELTA,
	WIRE_CODING_HANDLE, /* as DELTA, with a bound of its own */
	WIRE_CODING_STRING,
	WIRE_CODING_ADDRESS,
};

struct wire_column {
	const char *name;
	uint64_t max;
	uint16_t row_offset;
	uint8_t size; /* bytes of a number: 1, 2, 4 or 8 */
	uint8_t coding;
	uint16_t count_offset, values_offset; /* in the message */
};

struct wire_kind {
	const char *name; /* "flows", for errors */
	const struct wire_column *columns;
	uint16_t column_count, row_size;
	uint16_t count_offset; /* in the message: how many rows */
};

/* What a histogram's row says besides its buckets. */
struct wire_histogram_row {
	uint32_t min, spread;
	uint64_t rest, excess;
	uint8_t buckets;
};

extern const struct wire_kind wire_actors_kind, wire_flows_kind, wire_retired_kind, wire_names_kind,
	wire_listeners_kind, wire_covers_kind, wire_retired_actors_kind, wire_connections_kind,
	wire_events_kind, wire_netns_kind, wire_histograms_kind, wire_update_kind;
