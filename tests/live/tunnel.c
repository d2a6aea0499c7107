/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"

#define PACKET_MAX 2048
#define MTU        "1400"

/* The device belongs to the namespace it was made in, and lives as long as its descriptor. */
static int device_open(const struct cluster_node *n, const char *address)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "tun0"};
	char text[96];
	int fd;

	if (net_enter(n->netns))
		return -1;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request)) {
		close(fd);
		fd = -1;
	}
	net_enter(n->cluster->lan.home);
	snprintf(text, sizeof(text), "addr add %s/24 dev tun0", address);
	if (fd < 0 || net_ip(n->netns, text) || net_ip(n->netns, "link set tun0 mtu " MTU " up"))
		return -1;
	return fd;
}

static struct sockaddr_in address_of(unsigned int node)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(TUNNEL_PORT)};

	inet_pton(AF_INET, lan_address(node, AF_INET), &a.sin_addr);
	return a;
}

__attribute__((noreturn)) static void carry(int device, unsigned int node)
{
	struct sockaddr_in own = address_of(node), other = address_of(!node);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char packet[PACKET_MAX];

	if (bind(fd, (struct sockaddr *)&own, sizeof(own)))
		_exit(1);
	for (;;) {
		struct pollfd ways[] = {{device, POLLIN, 0}, {fd, POLLIN, 0}};
		ssize_t n;

		poll(ways, 2, -1);
		n = ways[0].revents ? read(device, packet, sizeof(packet)) : 0;
		if (n > 0)
			sendto(fd, packet, (size_t)n, 0, (struct sockaddr *)&other, sizeof(other));
		n = ways[1].revents ? recv(fd, packet, sizeof(packet), 0) : 0;
		if (n > 0 && write(device, packet, (size_t)n) != n)
			continue;
	}
}

static pid_t end_start(const struct cluster_node *n, int device)
{
	char path[300];
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "tunneld");
	signal(SIGTERM, SIG_DFL);
	snprintf(path, sizeof(path), "%s/cgroup.procs", n->cgroup);
	if (file_write(path, "0") || net_enter(n->netns))
		_exit(126);
	carry(device, n->index);
}

bool tunnel_start(struct tunnel *t, struct cluster *c)
{
	static const char *const addresses[] = {TUNNEL_HERE, TUNNEL_THERE};

	*t = (struct tunnel){0};
	for (int i = 0; i < 2; i++) {
		int device = device_open(&c->node[i], addresses[i]);

		if (device < 0)
			return false;
		t->end[i] = end_start(&c->node[i], device);
		close(device);
	}
	return t->end[0] > 0 && t->end[1] > 0;
}

void tunnel_end(struct tunnel *t)
{
	for (int i = 0; i < 2; i++)
		if (t->end[i] > 0)
			process_end(t->end[i], SIGKILL, 5000);
	*t = (struct tunnel){0};
}
