/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/dns.h"

const char *wire_dns_name(enum wire_dns_counter counter)
{
#define WIRE_DNS_NAME(id, name) name,
	static const char *const names[] = {WIRE_DNS_COUNTERS(WIRE_DNS_NAME)};

	return names[counter];
}
