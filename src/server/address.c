/* SPDX-License-Identifier: Apache-2.0 */
#include "server/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t zero[16];
static const uint8_t loopback6[16] = {[15] = 1};

bool address_is_v4(const uint8_t a[16])
{
	return !memcmp(a, v4_prefix, sizeof(v4_prefix));
}

bool address_is_loopback(const uint8_t a[16])
{
	return (address_is_v4(a) && a[12] == 127) || !memcmp(a, loopback6, 16);
}

bool address_is_unspecified(const uint8_t a[16])
{
	return !memcmp(a, zero, 16) || (address_is_v4(a) && !memcmp(a + 12, zero, 4));
}

bool address_equal(const uint8_t a[16], const uint8_t b[16])
{
	return !memcmp(a, b, 16);
}

const char *address_format(const uint8_t a[16], char buffer[ADDRESS_TEXT_MAX])
{
	if (address_is_v4(a))
		snprintf(buffer, ADDRESS_TEXT_MAX, "%u.%u.%u.%u", a[12], a[13], a[14], a[15]);
	else
		inet_ntop(AF_INET6, a, buffer, ADDRESS_TEXT_MAX);
	return buffer;
}

const char *address_format_port(const uint8_t a[16], uint16_t port,
				char buffer[ADDRESS_PORT_TEXT_MAX])
{
	char text[ADDRESS_TEXT_MAX];

	snprintf(buffer, ADDRESS_PORT_TEXT_MAX, address_is_v4(a) ? "%s:%u" : "[%s]:%u",
		 address_format(a, text), port);
	return buffer;
}

static int parse_address(uint8_t ret[16], const char *text)
{
	memcpy(ret, v4_prefix, sizeof(v4_prefix));
	if (inet_pton(AF_INET, text, ret + 12) == 1)
		return 0;
	return inet_pton(AF_INET6, text, ret) == 1 ? 0 : -EINVAL;
}

static int parse_bits(unsigned int *ret, const char *text, unsigned int max)
{
	unsigned int bits = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		bits = bits * 10 + (*text - '0');
		if (bits > max)
			return -EINVAL;
	}
	*ret = bits;
	return 0;
}

int address_prefix_parse(struct address_prefix *ret, const char *text)
{
	struct address_prefix p = {.bits = 128};
	const char *slash = strchr(text, '/');
	char copy[ADDRESS_TEXT_MAX];
	size_t size = slash ? (size_t)(slash - text) : strlen(text);
	unsigned int bits, max;
	int r;

	if (size >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	r = parse_address(p.address, copy);
	if (!r && slash) {
		max = strchr(copy, ':') ? 128 : 32;
		r = parse_bits(&bits, slash + 1, max);
		p.bits = r ? 0 : 128 - max + bits;
	}
	if (!r)
		*ret = p;
	return r;
}

bool address_prefix_contains(const struct address_prefix *p, const uint8_t a[16])
{
	unsigned int bytes = p->bits / 8, rest = p->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (memcmp(p->address, a, bytes) != 0)
		return false;
	return !rest || !((p->address[bytes] ^ a[bytes]) & mask);
}
