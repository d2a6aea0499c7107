/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of 16 bytes in network order, IPv4 mapped (::ffff:a.b.c.d), as everywhere in millrace.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ADDRESS_TEXT_MAX 46 /* INET6_ADDRSTRLEN */

bool address_is_v4(const uint8_t a[16]);
bool address_is_loopback(const uint8_t a[16]);    /* 127/8, ::1 */
bool address_is_unspecified(const uint8_t a[16]); /* 0.0.0.0, :: */
bool address_equal(const uint8_t a[16], const uint8_t b[16]);

/* "10.1.2.3", "fe80::1"; returns buffer. */
const char *address_format(const uint8_t a[16], char buffer[ADDRESS_TEXT_MAX]);

/* "10.1.2.3:80", "[fe80::1]:80"; returns buffer. */
#define ADDRESS_PORT_TEXT_MAX (ADDRESS_TEXT_MAX + 8)
const char *address_format_port(const uint8_t a[16], uint16_t port,
				char buffer[ADDRESS_PORT_TEXT_MAX]);

struct address_prefix {
	uint8_t address[16];
	unsigned int bits; /* of the 128; for IPv4 96 more than written */
};

/* "10.0.0.0/8", "fe80::/10", or an address alone; -EINVAL. Host bits are ignored. */
int address_prefix_parse(struct address_prefix *ret, const char *text);
bool address_prefix_contains(const struct address_prefix *p, const uint8_t a[16]);
