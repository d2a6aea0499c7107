/* SPDX-License-Identifier: Apache-2.0 */
#include "why_address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"

#define HOST_MAX 64

/* IPv4 as IPv6 maps it, so that one address has one form. */
static bool parse(const char *text, struct in6_addr *ret)
{
	char mapped[HOST_MAX] = "::ffff:";

	if (strchr(text, ':'))
		return inet_pton(AF_INET6, text, ret) == 1;
	if (strlen(text) >= sizeof(mapped) - strlen(mapped))
		return false;
	strcat(mapped, text);
	return inet_pton(AF_INET6, mapped, ret) == 1;
}

static bool is_same(const char *a, const char *b)
{
	struct in6_addr x, y;

	return parse(a, &x) && parse(b, &y) && !memcmp(&x, &y, sizeof(x));
}

bool why_address_is(const char *text)
{
	struct in6_addr unused;

	return parse(text, &unused);
}

bool why_port_is(const struct why_pair *pair, int port, bool udp)
{
	return (pair->port < 0 || pair->port == port) &&
	       (!pair->transport || !strcmp(pair->transport, udp ? "udp" : "tcp"));
}

static bool is_udp(const json_t *object)
{
	return *graph_port_suffix(object) != 0;
}

static bool is_named(const struct why_pair *pair, const struct graph_node *node)
{
	const json_t *addresses = field_array(node->json, "addresses");
	json_t *a;
	size_t i;

	if (is_same(node->name, pair->server))
		return true;
	json_array_foreach (addresses, i, a)
		if (json_is_string(a) && is_same(json_string_value(a), pair->server))
			return true;
	return false;
}

/* port < 0: on whichever the pair allows. */
static bool listens_at(const struct why_pair *pair, const struct graph_node *node, int port)
{
	const json_t *listeners = field_array(node->json, "listeners");
	json_t *l;
	size_t i;

	json_array_foreach (listeners, i, l) {
		int own = field_port(l, "port");

		if ((port < 0 || port == own) && why_port_is(pair, own, is_udp(l)) &&
		    is_same(field_text(l, "address"), pair->server))
			return true;
	}
	return false;
}

/* The end of a flow names its workload's node; that of its process follows from it. */
static bool is_end(const json_t *end, const struct graph_node *node)
{
	const char *id = node->id;

	if (!strcmp(field_text(end, "id"), id))
		return true;
	return !strncmp(id, "process/", 8) && !strcmp(field_text(end, "process"), id + 8);
}

static bool flow_ends_at(const struct why_pair *pair, const json_t *flow,
			 const struct graph_node *node)
{
	const json_t *server = field_get(flow, "server");

	return is_end(server, node) &&
	       why_port_is(pair, field_port(server, "port"), is_udp(flow)) &&
	       is_same(field_text(server, "address"), pair->server);
}

bool why_address_of_node(const struct why_pair *pair, const struct graph_node *node)
{
	json_t *flow;
	size_t i;

	if (is_named(pair, node) || listens_at(pair, node, -1))
		return true;
	json_array_foreach (pair->flows, i, flow)
		if (flow_ends_at(pair, flow, node))
			return true;
	return false;
}

/* "10.96.0.1:80", "[::1]:80": what clients asked for, where it is translated. */
static bool is_via(const struct why_pair *pair, const struct graph_edge *e)
{
	const char *via = field_text(e->json, "via"), *colon = strrchr(via, ':');
	char host[HOST_MAX];

	if (!colon || !why_port_is(pair, atoi(colon + 1), e->udp))
		return false;
	if (*via == '[' && colon[-1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)(colon - via) - 2, via + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)(colon - via), via);
	return is_same(host, pair->server);
}

bool why_address_of_edge(const struct why_pair *pair, const struct graph_edge *e)
{
	json_t *flow;
	size_t i;

	if (is_via(pair, e))
		return true;
	if (!why_port_is(pair, e->port, e->udp))
		return false;
	if (is_named(pair, e->server) || listens_at(pair, e->server, e->port))
		return true;
	json_array_foreach (pair->flows, i, flow)
		if (is_end(field_get(flow, "client"), e->client) &&
		    field_port(flow, "server.port") == e->port && is_udp(flow) == e->udp &&
		    flow_ends_at(pair, flow, e->server))
			return true;
	return false;
}
