/* SPDX-License-Identifier: Apache-2.0 */
/* Messages from anybody on the network: whole, cut, and as the answer to a query. The first byte
 * says how much of the message is missing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dns_message.h"
#include "agent/dns_names.h"
#include "agent/dns_queries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(bool condition)
{
	if (!condition)
		abort();
}

static void hold_printable(const char *text)
{
	hold(strlen(text) <= DNS_NAME_MAX);
	for (; *text; text++)
		hold(*text > ' ' && *text < 0x7f);
}

static void hold_message(const struct dns_message *m)
{
	hold(m->address_count <= DNS_ADDRESSES_MAX && m->target_count <= DNS_TARGETS_MAX);
	hold(!m->fault || !m->address_count);
	hold_printable(m->question);
	for (size_t i = 0; i < m->address_count; i++)
		hold_printable(dns_message_name(m, &m->addresses[i]));
}

/* What was asked in these words is answered by them. */
static void exchange(const struct dns_message *answer)
{
	struct dns_message query = *answer;
	struct dns_datagram d;
	struct dns_queries *q;
	struct dns_names *n;

	if (dns_queries_new(&q, 4, 4) || dns_names_new(&n, 4))
		return;
	memset(&d, 0, sizeof(d));
	query.is_answer = false;
	dns_queries_see(q, &d, &query);
	d.to_client = true;
	d.time_ns = 1;
	if (dns_queries_see(q, &d, answer))
		dns_names_learn(n, 1, answer, 1);
	else
		hold(!answer->is_answer);
	dns_queries_free(q);
	dns_names_free(n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_message m;
	size_t missing = size ? data[0] : 0;

	if (!size || dns_message_parse(&m, data + 1, size - 1, size - 1 + missing))
		return 0;
	hold_message(&m);
	exchange(&m);
	return 0;
}
