/* SPDX-License-Identifier: Apache-2.0 */
/* In snmp a line of names is followed by a line of numbers, "Tcp: …" both; see snmp.h. */
#include "agent/snmp.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define TCP  "Tcp: "
#define UDP  "Udp: "
#define UDP6 "" /* in snmp6, where a line is a name and a number */

static const struct {
	const char *line, *name;
	enum wire_netns_counter counter;
	bool optional; /* kernels before 5.11 lack it */
} fields[] = {
	{TCP, "ActiveOpens", NETNS_ATTEMPTED},
	{TCP, "PassiveOpens", NETNS_ACCEPTED},
	{TCP, "RetransSegs", NETNS_RETRANSMITS},
	{UDP, "OutDatagrams", NETNS_DATAGRAMS_SENT},
	{UDP, "InDatagrams", NETNS_DATAGRAMS_RECEIVED},
	{UDP, "RcvbufErrors", NETNS_DATAGRAMS_DROPPED},
	{UDP, "MemErrors", NETNS_DATAGRAMS_DROPPED, .optional = true},
	{UDP6, "Udp6OutDatagrams", NETNS_DATAGRAMS_SENT, .optional = true},
	{UDP6, "Udp6InDatagrams", NETNS_DATAGRAMS_RECEIVED, .optional = true},
	{UDP6, "Udp6RcvbufErrors", NETNS_DATAGRAMS_DROPPED, .optional = true},
	{UDP6, "Udp6MemErrors", NETNS_DATAGRAMS_DROPPED, .optional = true},
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

struct parsing {
	struct snmp sums;
	unsigned int found;
};

static const char *find_line(const char *text, const char *prefix)
{
	while (text && strncmp(text, prefix, strlen(prefix)) != 0) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text;
}

/* The word at *at, which moves behind it; size 0 at the end of the line. */
static size_t next_word(const char **at, const char **ret_word)
{
	size_t size;

	*at += strspn(*at, " \t");
	size = strcspn(*at, " \t\n");
	*ret_word = *at;
	*at += size;
	return size;
}

static void take_field(struct parsing *p, const char *line, const char *name, size_t size,
		       const char *number)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (strcmp(fields[i].line, line) != 0 || strlen(fields[i].name) != size ||
		    memcmp(fields[i].name, name, size) != 0)
			continue;
		p->sums.counter[fields[i].counter] += strtoull(number, NULL, 10);
		p->found |= 1u << i;
	}
}

static void take_lines(struct parsing *p, const char *text, const char *line)
{
	const char *names = find_line(text, line), *numbers, *name, *number;
	size_t size;

	numbers = names ? find_line(names + 1, line) : NULL;
	while (numbers && (size = next_word(&names, &name)) && next_word(&numbers, &number))
		take_field(p, line, name, size, number);
}

static void take_pairs(struct parsing *p, const char *text)
{
	const char *name, *number;
	size_t size;

	while (*text) {
		size = next_word(&text, &name);
		if (size && next_word(&text, &number))
			take_field(p, UDP6, name, size, number);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

int snmp_parse(const char *text, const char *text6, struct snmp *ret)
{
	struct parsing p = {0};

	take_lines(&p, text, TCP);
	take_lines(&p, text, UDP);
	take_pairs(&p, text6);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (!fields[i].optional && !(p.found & (1u << i)))
			return -EBADMSG;
	*ret = p.sums;
	return 0;
}
