/* SPDX-License-Identifier: Apache-2.0 */
#include "server/dress.h"

#include <errno.h>
#include <string.h>

#include "server/address.h"
#include "server/locate.h"

static int dress_actor(const struct core *c, const struct actor *a, struct arena *arena,
		       struct query_endpoint *e)
{
	const struct {
		const char **to, *from;
	} texts[] = {
		{&e->workload, a->workload}, {&e->pod, a->pod},   {&e->container, a->container},
		{&e->process, a->process},   {&e->unit, a->unit}, {&e->id, a->id},
	};

	e->kind = a->kind; /* constant text */
	e->pid = a->pid;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		*texts[i].to = arena_strdup(arena, texts[i].from);
		if (!*texts[i].to)
			return -ENOMEM;
	}
	return 0;
}

int dress_end(const struct core *c, const struct end *end, uint16_t port, struct arena *arena,
	      struct query_endpoint *ret)
{
	struct query_endpoint e = {.address = "",
				   .port = port,
				   .workload = "~other",
				   .kind = "other",
				   .namespace_name = "",
				   .pod = "",
				   .container = "",
				   .process = "",
				   .unit = "",
				   .image = "",
				   .tag = "",
				   .node = "",
				   .zone = "",
				   .id = "~other"};
	char text[ADDRESS_TEXT_MAX], id[NAME_TEXT_MAX + 16] = "external/";
	int r = 0;

	if (end->other)
		goto done;
	e.node = arena_strdup(arena, locate_node(c, end));
	e.zone = arena_strdup(arena, locate_zone(c, end));
	if (!e.node || !e.zone)
		return -ENOMEM;
	if (!address_is_unspecified(end->address)) {
		e.address = arena_strdup(arena, address_format(end->address, text));
		if (!e.address)
			return -ENOMEM;
	}
	if (end->actor) {
		r = dress_actor(c, end->actor, arena, &e);
	} else {
		e.kind = "external";
		strcat(id, end->name ? end->name : address_format(end->address, text));
		e.id = arena_strdup(arena, id);
		e.workload = end->name && e.id ? strchr(e.id, '/') + 1 : e.address;
		r = e.id ? 0 : -ENOMEM;
	}
done:
	*ret = e;
	return r;
}

const char *dress_via(const uint8_t via[16], uint16_t port, struct arena *arena)
{
	char text[ADDRESS_PORT_TEXT_MAX];

	return port ? arena_strdup(arena, address_format_port(via, port, text)) : "";
}
