/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_view.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/mptcp.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "run.h"

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif

static int info_mptcp(int fd, struct tcp_info *ret)
{
	struct {
		struct mptcp_subflow_data head;
		struct tcp_info info;
	} answer = {{.size_subflow_data = sizeof(struct mptcp_subflow_data),
		     .size_user = sizeof(struct tcp_info)}};
	socklen_t size = sizeof(answer);

	if (getsockopt(fd, SOL_MPTCP, MPTCP_TCPINFO, &answer, &size))
		return -errno;
	if (answer.head.num_subflows != 1)
		return -ENOTCONN;
	*ret = answer.info;
	return 0;
}

int info_read(const struct conn *c, struct tcp_info *ret)
{
	socklen_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	if (c->mptcp)
		return info_mptcp(c->fd, ret);
	return getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, ret, &size) ? -errno : 0;
}

void kernel_read(const struct conn *c, struct kernel_view *ret)
{
	struct tcp_info info;
	int queued = 0, unsent = 0;
	uint64_t flight;
	bool fin;

	if (info_read(c, &info) || ioctl(c->fd, SIOCOUTQ, &queued) ||
	    ioctl(c->fd, SIOCOUTQNSD, &unsent))
		peer_fail(c->p, "TCP_INFO: %s", strerror(errno));
	flight = (uint64_t)(queued - unsent);
	fin = c->fin_sent && unsent == 0;
	ret->sent = info.tcpi_bytes_acked + flight - c->active - fin;
	ret->received = info.tcpi_bytes_received - c->fin_received;
	ret->unacked = flight - (fin && flight);
	ret->state = info.tcpi_state;
}

/* Whether the peer's FIN has arrived shows in the state only (CLOSE_WAIT, LAST_ACK, CLOSING). */
static void view_fin(struct conn *c, struct kernel_view *v)
{
	if (!c->fin_received && (v->state == 8 || v->state == 9 || v->state == 11)) {
		c->fin_received = true;
		v->received--;
	}
}

void kernel_freeze(struct conn *c, struct kernel_view *ret)
{
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {1, nothing};
	struct kernel_view before;
	int equal = 0;

	if (setsockopt(c->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		peer_fail(c->p, "freeze: %s", strerror(errno));
	kernel_read(c, ret);
	while (equal < 3) {
		before = *ret;
		pause_us(500);
		kernel_read(c, ret);
		equal = memcmp(&before, ret, sizeof(before)) ? 0 : equal + 1;
	}
	view_fin(c, ret);
}
