/* SPDX-License-Identifier: Apache-2.0 */
/* See covers.h. The kernel tells by rtnetlink(7), for which nobody needs a right. */
#include "agent/covers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_EVERY_NS 1000000000ull
#define LOOK_EVERY_NS 10000000000ull /* where nobody tells */

struct covers {
	int news; /* netlink socket; negative: none */
	bool stale;
	uint64_t read_ns; /* when they were read last; 0: never */
	struct wire_cover told[COVERS_MAX];
	size_t told_count;
};

static int open_news(void)
{
	const struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
					   .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int covers_new(struct covers **ret)
{
	struct covers *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->news = open_news();
	c->stale = true;
	*ret = c;
	return 0;
}

struct covers *covers_free(struct covers *c)
{
	if (!c)
		return NULL;
	if (c->news >= 0)
		close(c->news);
	free(c);
	return NULL;
}

/* Whatever is told, also that something was lost, means to read them again. */
static void read_news(struct covers *c, uint64_t now_ns)
{
	char message[4096];
	ssize_t n;

	if (c->news < 0) {
		c->stale |= now_ns - c->read_ns >= LOOK_EVERY_NS;
		return;
	}
	do {
		n = recv(c->news, message, sizeof(message), 0);
		c->stale |= n > 0 || (n < 0 && errno == ENOBUFS);
	} while (n > 0 || (n < 0 && (errno == EINTR || errno == ENOBUFS)));
}

static bool take_ipv4(const struct sockaddr *a, uint8_t ret[16])
{
	uint32_t address = ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr);

	if (address >> 24 == 127 || address >> 16 == 0xa9fe)
		return false;
	memset(ret, 0, 10);
	ret[10] = ret[11] = 0xff;
	address = htonl(address);
	memcpy(ret + 12, &address, sizeof(address));
	return true;
}

static bool take_ipv6(const struct sockaddr *a, uint8_t ret[16])
{
	const struct in6_addr *address = &((const struct sockaddr_in6 *)a)->sin6_addr;

	if (IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_LINKLOCAL(address))
		return false;
	memcpy(ret, address, 16);
	return true;
}

static int compare(const void *a, const void *b)
{
	return memcmp(((const struct wire_cover *)a)->address,
		      ((const struct wire_cover *)b)->address, 16);
}

static size_t without_doubles(struct wire_cover *all, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!kept || compare(&all[kept - 1], &all[i]))
			all[kept++] = all[i];
	return kept;
}

/* Ascending, each once. */
static size_t read_addresses(struct wire_cover *ret, size_t max)
{
	struct ifaddrs *all = NULL;
	size_t count = 0;

	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *i = all; i && count < max; i = i->ifa_next) {
		sa_family_t family = i->ifa_addr ? i->ifa_addr->sa_family : AF_UNSPEC;

		if (family == AF_INET)
			count += take_ipv4(i->ifa_addr, ret[count].address);
		else if (family == AF_INET6)
			count += take_ipv6(i->ifa_addr, ret[count].address);
	}
	freeifaddrs(all);
	if (count)
		qsort(ret, count, sizeof(*ret), compare);
	return without_doubles(ret, count);
}

static bool is_told(const struct covers *c, const struct wire_cover *rows, size_t count)
{
	return c->read_ns && count == c->told_count &&
	       !memcmp(rows, c->told, count * sizeof(*rows));
}

int covers_report(struct covers *c, struct wire_batch *b, uint64_t now_ns)
{
	struct wire_cover *rows;
	size_t count;

	read_news(c, now_ns);
	if (!c->stale || (c->read_ns && now_ns - c->read_ns < READ_EVERY_NS))
		return 0;
	rows = arena_alloc(b->arena, COVERS_MAX * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	count = read_addresses(rows, COVERS_MAX);
	c->stale = false;
	if (!is_told(c, rows, count)) {
		memcpy(c->told, rows, count * sizeof(*rows));
		c->told_count = count;
		b->covers = rows;
		b->cover_count = count;
		b->covers_changed = true;
	}
	c->read_ns = now_ns + !now_ns;
	return 0;
}
