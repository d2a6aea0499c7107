/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our sums beside the kernel's. The kernel's counters are read before and after ours are taken;
 * traffic goes on meanwhile, so ours must lie between the two. The difference is 0 there, else how
 * far outside it is: below 0, something was missed; above, something was counted twice.
 *
 * Of UDP the kernel counts buffers, we datagrams: with UDP_SEGMENT and UDP_GRO one buffer is
 * several. What its firewall refuses to send it does not count. So ours may be ahead; that is no
 * difference. Received means read by a program to the kernel (InDatagrams), queued for one to us,
 * and what its own tunnels take (VXLAN, WireGuard) it counts, though no program's socket sees it:
 * shown, not judged. It has no counter of bytes.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "kernel_sums.h"

struct verify_figure {
	uint64_t ours, before, after; /* since the agent started */
	int64_t difference;
};

struct verify_row {
	uint32_t netns;
	char name[64];
	bool udp; /* is watched; else its figures are nothing */
	struct verify_figure figures[NETNS_COUNTER_COUNT];
};

/* One row for each namespace that both readings saw; ours: the API's answer. *ret is allocated.
 * 0, -ENOMEM, -EPROTO. */
int verify_compare(const struct kernel_sums *before, const json_t *ours,
		   const struct kernel_sums *after, struct verify_row **ret, size_t *ret_count);

/*
 * The kernel counts an accepted connection (PassiveOpens) when it creates the child socket. When
 * two of a handshake's last packets meet on two CPUs it creates two and drops one (tcp_check_req(),
 * own_req), so it may be ahead of the truth: seen, 1 in 1,049 on an overloaded machine, with 1,048
 * ActiveOpens at the other end. Up to VERIFY_TWINS in a thousand, and one, are taken for such
 * twins. They are shown.
 */
#define VERIFY_TWINS 1
bool verify_is_twins(enum wire_netns_counter counter, const struct verify_figure *f);

bool verify_equal(const struct verify_row *rows, size_t count);
int verify_write(const struct verify_row *rows, size_t count, FILE *out);
int verify_write_json(const struct verify_row *rows, size_t count, int tries, FILE *out);
