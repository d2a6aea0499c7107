/* SPDX-License-Identifier: Apache-2.0 */
#include "dns_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"

static size_t put_name(uint8_t *at, const char *name)
{
	uint8_t *start = at;

	while (*name) {
		size_t size = strcspn(name, ".");

		*at++ = (uint8_t)size;
		memcpy(at, name, size);
		at += size;
		name += size + (name[size] == '.');
	}
	*at++ = 0;
	return (size_t)(at - start);
}

size_t dns_query(uint8_t *bytes, uint16_t id, const char *name, uint16_t type)
{
	const uint8_t head[12] = {(uint8_t)(id >> 8), (uint8_t)id, 1, 0, 0, 1};
	size_t size = sizeof(head);

	memcpy(bytes, head, size);
	size += put_name(bytes + size, name);
	bytes[size++] = (uint8_t)(type >> 8);
	bytes[size++] = (uint8_t)type;
	bytes[size++] = 0;
	bytes[size++] = 1;
	return size;
}

static socklen_t address_of(const char *text, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(53);
		return sizeof(*v4);
	}
	inet_pton(AF_INET6, text, &v6->sin6_addr);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(53);
	return sizeof(*v6);
}

static void remember(struct dns_told *told, uint64_t sent_ns, int code)
{
	told->answered++;
	told->code[code]++;
	if (told->latency_count < DNS_LATENCIES_MAX)
		told->latency_us[told->latency_count++] = (double)(clock_ns() - sent_ns) / 1000;
}

int dns_ask(struct dns_told *told, const char *server, const char *name, uint16_t type,
	    unsigned int timeout_ms)
{
	struct sockaddr_storage to;
	socklen_t to_size = address_of(server, &to);
	uint8_t bytes[65536];
	size_t size = dns_query(bytes, (uint16_t)(told->asked * 7919 + 1), name, type);
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), code = -1;
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	uint64_t sent_ns = clock_ns();

	told->asked++;
	if (sendto(fd, bytes, size, 0, (struct sockaddr *)&to, to_size) > 0 &&
	    poll(&wait, 1, (int)timeout_ms) == 1 && recv(fd, bytes, sizeof(bytes), 0) > 3)
		code = bytes[3] & 15;
	if (code >= 0)
		remember(told, sent_ns, code);
	else
		told->silent++;
	close(fd);
	return code;
}

/* An answer to the query in bytes, made hostile; its size. */
static size_t make_hostile(uint8_t *bytes, size_t size, unsigned int kind)
{
	static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 9, 9, 9};

	bytes[2] = 0x81; /* an answer … */
	bytes[7] = 1;    /* … of one record */
	memcpy(bytes + size, record, sizeof(record));
	size += sizeof(record);
	switch (kind) {
	case 0: /* a name that points to itself */
		bytes[size - 15] = (uint8_t)(size - 16);
		bytes[size - 16] |= (uint8_t)((size - 16) >> 8);
		return size;
	case 1: /* truncated in the middle of the record */
		return size - 7;
	case 2: /* counts beyond all bounds */
		memset(bytes + 4, 0xff, 8);
		return size;
	case 3: /* almost 64 KB of nothing, with counts that ask to read it */
		memset(bytes + size, 0, 60000);
		bytes[6] = 0xff;
		return 60000;
	case 4: /* a record that is larger than the message */
		bytes[size - 6] = 0xff;
		return size;
	case 5: /* the answer to another question */
		bytes[13] ^= 1;
		return size;
	default: /* not even a header */
		return 5;
	}
}

void dns_serve_hostile(const char *address)
{
	struct sockaddr_storage own, peer;
	socklen_t size = address_of(address, &own);
	int fd = socket(own.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&own, size))
		_exit(1);
	for (unsigned int turn = 0;; turn++) {
		static uint8_t bytes[65536];
		socklen_t peer_size = sizeof(peer);
		ssize_t got = recvfrom(fd, bytes, 512, 0, (struct sockaddr *)&peer, &peer_size);

		if (got > 12)
			sendto(fd, bytes,
			       make_hostile(bytes, (size_t)got, turn % DNS_HOSTILE_KINDS), 0,
			       (struct sockaddr *)&peer, peer_size);
	}
}
