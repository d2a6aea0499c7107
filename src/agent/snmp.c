/* SPDX-License-Identifier: Apache-2.0 */
/* A line of names is followed by a line of numbers, "Tcp: …" both; see snmp.h. */
#include "agent/snmp.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	{"ActiveOpens", offsetof(struct snmp_tcp, active_opens)},
	{"PassiveOpens", offsetof(struct snmp_tcp, passive_opens)},
	{"RetransSegs", offsetof(struct snmp_tcp, retrans_segs)},
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

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

	*at += strspn(*at, " ");
	size = strcspn(*at, " \n");
	*ret_word = *at;
	*at += size;
	return size;
}

static void take_field(const char *name, size_t size, const char *number, struct snmp_tcp *ret,
		       unsigned int *found)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (strlen(fields[i].name) != size || memcmp(fields[i].name, name, size) != 0)
			continue;
		*(uint64_t *)((char *)ret + fields[i].offset) = strtoull(number, NULL, 10);
		*found |= 1u << i;
	}
}

int snmp_parse(const char *text, struct snmp_tcp *ret)
{
	const char *names = find_line(text, "Tcp: "), *numbers, *name, *number;
	struct snmp_tcp tcp = {0};
	unsigned int found = 0;
	size_t size;

	numbers = names ? find_line(names + 1, "Tcp: ") : NULL;
	if (!numbers)
		return -EBADMSG;
	while ((size = next_word(&names, &name)) && next_word(&numbers, &number))
		take_field(name, size, number, &tcp, &found);
	if (found != (1u << FIELD_COUNT) - 1)
		return -EBADMSG;
	*ret = tcp;
	return 0;
}
