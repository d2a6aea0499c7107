/* SPDX-License-Identifier: Apache-2.0 */
/* See group.h. */
#include "server/group.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server/address.h"
#include "server/locate.h"

static const char *node_of(const struct core *c, const struct actor *a)
{
	return c->reporters[a->reporter].node;
}

static void name_as(struct group_name *ret, const char *kind, const char *name)
{
	ret->kind = kind;
	snprintf(ret->id, sizeof(ret->id), "%s/%s", kind, name);
	snprintf(ret->name, sizeof(ret->name), "%s", name);
}

static void name_workload(const struct core *c, const struct actor *a, struct group_name *ret)
{
	ret->kind = a->kind;
	snprintf(ret->id, sizeof(ret->id), "%s", a->id);
	snprintf(ret->name, sizeof(ret->name), "%s", a->workload);
}

static void name_process(const struct core *c, const struct actor *a, struct group_name *ret)
{
	const char *process = a->process[0] ? a->process : "unknown";

	name_as(ret, "process", process);
}

static void name_node(const struct core *c, const struct actor *a, struct group_name *ret)
{
	name_as(ret, "node", node_of(c, a));
}

static void name_container(const struct core *c, const struct actor *a, struct group_name *ret)
{
	if (!a->container[0]) {
		name_node(c, a, ret);
		return;
	}
	name_workload(c, a, ret);
}

static void name_instance(const struct core *c, const struct actor *a, struct group_name *ret)
{
	ret->kind = "instance";
	snprintf(ret->id, sizeof(ret->id), "instance/%s%s%s:%s", node_of(c, a),
		 a->cgroup[0] == '/' ? "" : "/", a->cgroup, a->process);
	snprintf(ret->name, sizeof(ret->name), "%s:%s", a->workload, a->process);
}

/* Namespaces and so on: nobody tells them on a plain host; nor zones where none was given. */
static void name_nothing(const struct core *c, const struct actor *a, struct group_name *ret)
{
	ret->kind = "";
	ret->id[0] = ret->name[0] = '\0';
}

static const struct {
	const char *text;
	void (*name)(const struct core *c, const struct actor *a, struct group_name *ret);
	bool one_external; /* all externals are one node */
} groups[] = {
	[QUERY_GROUP_WORKLOAD] = {"workload", name_workload, false},
	[QUERY_GROUP_PROCESS] = {"process", name_process, false},
	[QUERY_GROUP_CONTAINER] = {"container", name_container, false},
	[QUERY_GROUP_INSTANCE] = {"instance", name_instance, false},
	[QUERY_GROUP_NODE] = {"node", name_node, false},
	[QUERY_GROUP_NAMESPACE] = {"namespace", name_nothing, true},
	[QUERY_GROUP_ZONE] = {"zone", name_nothing, true},
	[QUERY_GROUP_REGION] = {"region", name_nothing, true},
	[QUERY_GROUP_CLUSTER] = {"cluster", name_nothing, true},
	[QUERY_GROUP_LABEL] = {"label:", name_nothing, true},
};

static bool is_of_place(enum query_group_kind kind)
{
	return kind == QUERY_GROUP_NODE || kind == QUERY_GROUP_ZONE || kind == QUERY_GROUP_REGION;
}

/* Of a machine by itself, whoever has the socket there. "": no agent told it. */
static bool name_place(const struct core *c, enum query_group_kind kind, const struct end *end,
		       struct group_name *ret)
{
	const char *name = kind == QUERY_GROUP_NODE   ? locate_node(c, end)
			   : kind == QUERY_GROUP_ZONE ? locate_zone(c, end)
						      : locate_region(c, end);

	if (!*name)
		return false;
	name_as(ret, groups[kind].text, name);
	return true;
}

static void name_fixed(struct group_name *ret, const char *kind, const char *id)
{
	ret->kind = kind;
	snprintf(ret->id, sizeof(ret->id), "%s", id);
	snprintf(ret->name, sizeof(ret->name), "%s", id);
}

void group_name(const struct core *c, const struct query_group *group, const struct end *end,
		struct group_name *ret)
{
	char text[ADDRESS_TEXT_MAX];
	const char *name;

	if (end->other || (end->actor && end->actor->other)) {
		name_fixed(ret, "other", "~other");
	} else if (is_of_place(group->kind) && name_place(c, group->kind, end, ret)) {
		return;
	} else if (end->actor) {
		groups[group->kind].name(c, end->actor, ret);
	} else if (groups[group->kind].one_external) {
		name_fixed(ret, "external", "external");
	} else {
		ret->kind = "external";
		name = end->name ? end->name : address_format(end->address, text);
		snprintf(ret->id, sizeof(ret->id), "external/%s", name);
		snprintf(ret->name, sizeof(ret->name), "%s", name);
	}
}

int query_group_parse(struct query_group *ret, const char *text, struct error *ret_error)
{
	struct query_group group = {QUERY_GROUP_WORKLOAD, ""};

	if (!text || !*text)
		text = "workload";
	if (!strncmp(text, "label:", 6) && text[6] && strlen(text + 6) < sizeof(group.label)) {
		group.kind = QUERY_GROUP_LABEL;
		snprintf(group.label, sizeof(group.label), "%s", text + 6);
		*ret = group;
		return 0;
	}
	for (size_t i = 0; i < QUERY_GROUP_LABEL; i++) {
		if (strcmp(text, groups[i].text) != 0)
			continue;
		group.kind = (enum query_group_kind)i;
		*ret = group;
		return 0;
	}
	return error_set(ret_error, -EINVAL,
			 "cannot group by \"%.40s\": expected workload, process, container, "
			 "instance, node, namespace, zone, region, cluster or label:KEY",
			 text);
}

const char *query_group_name(const struct query_group *group, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s%s", groups[group->kind].text, group->label);
	return buffer;
}
