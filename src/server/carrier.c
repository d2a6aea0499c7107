/* SPDX-License-Identifier: Apache-2.0 */
#include "server/carrier.h"

#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/address.h"
#include "server/core.h"

/* The ports on which tunnels run as a rule. */
static const struct {
	uint16_t port;
	const char *tunnel;
} tunnels[] = {
	{4789, "VXLAN"},   {8472, "VXLAN as Linux and flannel have it"},
	{6081, "Geneve"},  {51820, "WireGuard"},
	{1194, "OpenVPN"}, {4500, "IPsec through NAT"},
};

static bool is_tunnel_port(uint16_t port)
{
	for (size_t i = 0; i < sizeof(tunnels) / sizeof(*tunnels); i++)
		if (tunnels[i].port == port)
			return true;
	return false;
}

/* A socket that the kernel made for itself belongs to no process and to the root of all cgroups. */
static bool is_of_kernel(const struct actor *a)
{
	return !a->other && !a->pid && !a->process[0] && !a->unit[0] && !a->container[0] &&
	       (!a->cgroup[0] || !strcmp(a->cgroup, "/"));
}

/* Two containers of a pod share a namespace; two pods in the host's do not share what is theirs. */
static bool is_one_pod(const struct actor *a, const struct actor *b)
{
	return !a || !b || !strcmp(a->pod, b->pod);
}

static bool is_in_own_namespace(const struct core *c, const struct flow_id *id)
{
	return address_is_loopback(id->remote) || address_equal(id->local, id->remote) ||
	       endpoint_address_in(&c->endpoints, id->machine, id->netns, id->remote) == 2;
}

static bool is_sidecar(const struct core *c, const struct flow_id *id, const struct actor *server)
{
	const struct actor *own = &c->actors.actors[id->actor];

	if (id->role != MR_ROLE_CLIENT || !is_in_own_namespace(c, id) || !is_one_pod(own, server))
		return false;
	return id->via_port || endpoint_takes_over(&c->endpoints, id->machine, id->netns, id->actor,
						   id->transport, id->port);
}

enum carrier carrier_of(const struct core *c, const struct flow_id *id, const struct actor *server)
{
	if (id->coarse)
		return CARRIER_NONE;
	if (id->transport == WIRE_TRANSPORT_UDP &&
	    (is_tunnel_port(id->port) || is_of_kernel(&c->actors.actors[id->actor])))
		return CARRIER_TUNNEL;
	return is_sidecar(c, id, server) ? CARRIER_SIDECAR : CARRIER_NONE;
}

const char *carrier_name(enum carrier carrier)
{
	static const char *const names[CARRIER_COUNT] = {"", "sidecar", "tunnel"};

	return names[carrier];
}
