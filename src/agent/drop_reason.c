/* SPDX-License-Identifier: Apache-2.0 */
/* See drop_reason.h. */
#include "agent/drop_reason.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "SKB_DROP_REASON_"

/*
 * What the kernel frees with a reason though nothing was lost by it. Everything else is a drop,
 * also what a kernel to come invents.
 */
static const char *const no_drops[] = {
	/* used up, or freed by one of the many places that tell no reason */
	"SKB_NOT_DROPPED_YET",
	"SKB_CONSUMED",
	"NOT_SPECIFIED",
	/* not ours: a copy for a packet socket, somebody else's packet on a promiscuous device */
	"SOCKET_FILTER",
	"OTHERHOST",
	"UNHANDLED_PROTO",
	/* answered, by an RST or by ICMP: the attempt says that it was refused */
	"NO_SOCKET",
	/* the program closed its socket, or was told of the end */
	"SOCKET_CLOSE",
	"QUEUE_PURGE",
	"UNIX_DISCONNECT",
	"UNIX_SKIP_OOB",
	"TCP_RESET",
	"TCP_CLOSE",
	"TCP_ABORT_ON_DATA",
	"TCP_FASTOPEN",
	/* a full receive queue: datagrams have a counter of their own for that */
	"SOCKET_RCVBUFF",
	/* seen before: sent again too early, kept alive, asked for a window */
	"TCP_OLD_DATA",
	"TCP_OLD_SEQUENCE",
	"TCP_INVALID_SEQUENCE",
	"TCP_OLD_ACK",
	"TCP_OFOMERGE",
	"TCP_RFC7323_PAWS_ACK",
	"DUP_FRAG",
	/* limits of the enumeration, not reasons */
	"MAX",
	"SUBSYS_MASK",
};

static bool is_no_drop(const char *name)
{
	for (size_t i = 0; i < sizeof(no_drops) / sizeof(no_drops[0]); i++)
		if (!strcmp(name, no_drops[i]))
			return true;
	return false;
}

void drop_reasons_init(struct drop_reasons *r)
{
	memset(r, 0, sizeof(*r));
	memset(r->ignored, 1, sizeof(r->ignored));
}

void drop_reasons_add(struct drop_reasons *r, uint32_t number, const char *kernel_name)
{
	const char *name = kernel_name;

	if (number >= MR_DROP_REASONS)
		return;
	if (!strncmp(name, PREFIX, strlen(PREFIX)))
		name += strlen(PREFIX);
	snprintf(r->name[number], sizeof(r->name[number]), "%s", name);
	r->ignored[number] = is_no_drop(name);
}

const char *drop_reasons_name(const struct drop_reasons *r, uint32_t number)
{
	return number < MR_DROP_REASONS && r->name[number][0] ? r->name[number] : "UNKNOWN";
}
