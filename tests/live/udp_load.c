/* SPDX-License-Identifier: Apache-2.0 */
/* See udp_load.h. */
#include "udp_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "actor.h"
#include "run.h"
#include "udp_internal.h"

#define PORT_FIRST 6100

const char *const udp_lane_names[LANE_COUNT] = {
	[LANE_MIXED4] = "mixed, IPv4",
	[LANE_MIXED6] = "mixed, IPv6",
	[LANE_SEGMENTS4] = "UDP_SEGMENT, IPv4",
	[LANE_SEGMENTS6] = "UDP_SEGMENT and UDP_GRO, IPv6",
	[LANE_GROUP4] = "multicast, IPv4",
	[LANE_GROUP6] = "multicast, IPv6",
	[LANE_FULL] = "full queue",
};

uint16_t udp_lane_port(enum udp_lane lane)
{
	return (uint16_t)(PORT_FIRST + lane);
}

bool udp_lane_is_v6(enum udp_lane lane)
{
	return lane == LANE_MIXED6 || lane == LANE_SEGMENTS6 || lane == LANE_GROUP6;
}

socklen_t udp_lane_address(enum udp_lane lane, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *four = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (udp_lane_is_v6(lane)) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(udp_lane_port(lane));
		inet_pton(AF_INET6, lane == LANE_GROUP6 ? UDP_GROUP6 : NET_SERVER6,
			  &six->sin6_addr);
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(udp_lane_port(lane));
	inet_pton(AF_INET, lane == LANE_GROUP4 ? UDP_GROUP4 : NET_SERVER4, &four->sin_addr);
	return sizeof(*four);
}

unsigned int udp_segments_of(size_t bytes, size_t size)
{
	return size && bytes > size ? (unsigned int)((bytes + size - 1) / size) : 1;
}

const struct udp_tally *udp_tally(const struct udp_load *u, enum udp_lane lane, bool client)
{
	return client ? &u->shared->client[lane] : &u->shared->server[lane];
}

/* Every address of these networks is the client's own, and the server knows the way. */
static bool addresses_add(const struct live *l)
{
	return net_ip(l->net.client, "route replace local 10.79.0.0/16 dev lo") == 0 &&
	       net_ip(l->net.server, "route replace 10.79.0.0/16 via " NET_CLIENT4) == 0;
}

static bool all_bound(void *userdata)
{
	return ((struct udp_load *)userdata)->shared->bound == 2;
}

static bool first_bound(void *userdata)
{
	return ((struct udp_load *)userdata)->shared->bound >= 1;
}

bool udp_load_start(struct udp_load *u, struct live *l)
{
	u->shared = mmap(NULL, sizeof(*u->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (u->shared == MAP_FAILED || !addresses_add(l))
		return false;
	u->server = actor_fork(l, "udp-server", false);
	if (!u->server)
		udp_server_run(u);
	return u->server > 0 && wait_until(first_bound, u, patience(l, 5000));
}

bool udp_load_go(struct udp_load *u, struct live *l)
{
	u->shared->go = 1;
	if (!wait_until(all_bound, u, patience(l, 5000)))
		return false;
	u->client = actor_fork(l, "udp-client", true);
	if (!u->client)
		udp_client_run(u);
	return u->client > 0;
}

bool udp_load_wait(struct udp_load *u, struct live *l)
{
	int client = process_wait(u->client, patience(l, 120000));
	int server = process_wait(u->server, patience(l, 20000));

	u->client = client == -ETIMEDOUT ? u->client : 0;
	u->server = server == -ETIMEDOUT ? u->server : 0;
	return client == 0 && server == 0;
}

void udp_load_end(struct udp_load *u)
{
	if (u->client > 0)
		process_end(u->client, SIGKILL, 1000);
	if (u->server > 0)
		process_end(u->server, SIGKILL, 1000);
	if (u->shared && u->shared != MAP_FAILED)
		munmap(u->shared, sizeof(*u->shared));
}
