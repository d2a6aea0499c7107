/* SPDX-License-Identifier: Apache-2.0 */
#include "server/locate.h"

#include <string.h>

static const struct reporter *reporter_of(const struct core *c, const struct end *end)
{
	bool known = end->actor || end->local;

	return known && end->reporter < c->reporter_count ? &c->reporters[end->reporter] : NULL;
}

const char *locate_node(const struct core *c, const struct end *end)
{
	const struct reporter *r = reporter_of(c, end);

	return r ? r->node : "";
}

const char *locate_zone(const struct core *c, const struct end *end)
{
	const struct reporter *r = reporter_of(c, end);

	return r ? r->zone : "";
}

const char *locate_region(const struct core *c, const struct end *end)
{
	const struct reporter *r = reporter_of(c, end);

	return r ? r->region : "";
}

static bool differ(const char *a, const char *b)
{
	return *a && *b && strcmp(a, b) != 0;
}

enum locate_class locate_class(const struct core *c, const struct ends *ends)
{
	const struct reporter *client = reporter_of(c, &ends->client);
	const struct reporter *server = reporter_of(c, &ends->server);

	if (ends->client.other || ends->server.other)
		return LOCATE_UNKNOWN;
	if (!client || !server)
		return LOCATE_EXTERNAL;
	if (client == server)
		return LOCATE_SAME_NODE;
	if (differ(client->region, server->region))
		return LOCATE_CROSS_REGION;
	if (differ(client->zone, server->zone))
		return LOCATE_CROSS_ZONE;
	return client->zone[0] && server->zone[0] ? LOCATE_SAME_ZONE : LOCATE_UNKNOWN;
}

enum locate_class locate_class_merge(enum locate_class a, enum locate_class b)
{
	if (a == b)
		return a;
	return a <= LOCATE_SAME_ZONE && b <= LOCATE_SAME_ZONE ? LOCATE_SAME_ZONE : LOCATE_UNKNOWN;
}

const char *locate_class_name(enum locate_class class)
{
	static const char *const names[LOCATE_CLASS_COUNT] = {
		[LOCATE_SAME_NODE] = "same_node",   [LOCATE_SAME_ZONE] = "same_zone",
		[LOCATE_CROSS_ZONE] = "cross_zone", [LOCATE_CROSS_REGION] = "cross_region",
		[LOCATE_EXTERNAL] = "external",     [LOCATE_UNKNOWN] = "unknown",
	};

	return names[class];
}
