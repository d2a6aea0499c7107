/* SPDX-License-Identifier: Apache-2.0 */
#include "lan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *address_of(unsigned int node, int family, unsigned int host)
{
	static char text[8][32];
	static unsigned int turn;
	char *t = text[turn++ % 8];

	if (family == AF_INET6)
		snprintf(t, sizeof(*text), "fd88:%u::%u", node, host);
	else
		snprintf(t, sizeof(*text), "10.88.%u.%u", node, host);
	return t;
}

const char *lan_address(unsigned int node, int family)
{
	return address_of(node, family, 2);
}

const char *lan_gateway(unsigned int node, int family)
{
	return address_of(node, family, 1);
}

__attribute__((format(printf, 2, 3))) static int ip(int netns, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return net_ip(netns, text);
}

static int node_join(struct lan *n, unsigned int i)
{
	const int families[] = {AF_INET, AF_INET6};
	int r = ip(n->router, "link add to%u type veth peer name up%u netns /proc/%d/fd/%d", i, i,
		   getpid(), n->node[i]);

	r = r ? r : ip(n->router, "link set to%u up", i);
	r = r ? r : ip(n->node[i], "link set up%u up", i);
	r = r ? r : ip(n->node[i], "link set lo up");
	for (int f = 0; f < 2; f++) {
		const char *size = f ? "64 nodad" : "24";

		r = r ? r
		      : ip(n->router, "addr add %s/%s dev to%u", lan_gateway(i, families[f]), size,
			   i);
		r = r ? r
		      : ip(n->node[i], "addr add %s/%s dev up%u", lan_address(i, families[f]), size,
			   i);
		r = r ? r
		      : ip(n->node[i], "%s route add default via %s", f ? "-6" : "-4",
			   lan_gateway(i, families[f]));
	}
	return r;
}

int lan_open(struct lan *n, const struct net *net, unsigned int count)
{
	int r;

	*n = (struct lan){.home = net->home, .router = net_namespace(net->home)};
	if (n->router < 0)
		return n->router;
	r = net_sysctl(net, n->router, "ipv4/ip_forward", "1");
	r = r ? r : net_sysctl(net, n->router, "ipv6/conf/all/forwarding", "1");
	while (!r && n->count < count) {
		n->node[n->count] = net_namespace(net->home);
		if (n->node[n->count] < 0)
			return n->node[n->count];
		net_tune(net, n->node[n->count]);
		n->count++;
		r = node_join(n, n->count - 1);
	}
	return r;
}

void lan_close(struct lan *n)
{
	for (unsigned int i = 0; i < n->count; i++)
		close(n->node[i]);
	if (n->router > 0)
		close(n->router);
	*n = (struct lan){0};
}
