/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where ends are: the node, zone and region of the agent that sees them, or of the agent whose
 * machine has their address. "" where nobody knows.
 */
#pragma once

#include "server/resolve.h"

/* How far apart the two ends of an edge are. */
enum locate_class {
	LOCATE_SAME_NODE,
	LOCATE_SAME_ZONE,
	LOCATE_CROSS_ZONE,
	LOCATE_CROSS_REGION,
	LOCATE_EXTERNAL, /* an end is nobody's machine */
	LOCATE_UNKNOWN,
	LOCATE_CLASS_COUNT
};

/* They live as long as the core; what they say may change with the next batch. */
const char *locate_node(const struct core *c, const struct end *end);
const char *locate_zone(const struct core *c, const struct end *end);
const char *locate_region(const struct core *c, const struct end *end);

enum locate_class locate_class(const struct core *c, const struct ends *ends);
/* Of two flows of an edge, together. */
enum locate_class locate_class_merge(enum locate_class a, enum locate_class b);
const char *locate_class_name(enum locate_class class);
