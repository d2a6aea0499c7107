/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes about whose socket it is. A client's connection belongs to the process that called
 * connect(), an accepted one to the process that called listen(), whoever uses or closes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "shapes.h"

#define WORKERS 3

static void serve_one(struct peer *p, int fd)
{
	struct conn c = conn_take(p, fd);
	unsigned int received = conn_get_eof(&c);

	conn_put(&c, peer_down(p, received));
	if (received % 4)
		conn_close(&c);
	else
		conn_close_examined(&c);
}

/* Accepts until all workers together have had all connections. */
__attribute__((noreturn)) static void worker(struct peer *p, int listener)
{
	struct pollfd ready = {listener, POLLIN, 0};
	int fd;

	while (__atomic_load_n(&p->outcome->made, __ATOMIC_ACQUIRE) < p->connections) {
		poll(&ready, 1, 20);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && errno != EAGAIN)
			peer_fail(p, "accept: %s", strerror(errno));
		if (fd < 0)
			continue;
		__atomic_add_fetch(&p->outcome->made, 1, __ATOMIC_ACQ_REL);
		serve_one(p, fd);
	}
	_exit(0);
}

static void workers_wait(struct peer *p, const int *pids)
{
	int status;

	for (int i = 0; i < WORKERS; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			peer_fail(p, "a worker ended with status %d", status);
}

static void many_clients(struct peer *p, unsigned int listeners)
{
	for (unsigned int i = 0; i < listeners; i++)
		peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, peer_up(p, i));
		conn_finish_sending(&c);
		conn_get_eof(&c);
		if (i % 4)
			conn_close(&c);
		else
			conn_close_examined(&c);
	}
}

/*
 * Several processes of one name, each with a listener of its own on the same port. Which of them
 * took a connection is the kernel's choice and not in the tally; that they all count is.
 */
void shape_reuseport_client(struct peer *p)
{
	many_clients(p, WORKERS);
}

void shape_reuseport_server(struct peer *p)
{
	int pids[WORKERS], listener;

	p->tally = peer_tally(p, "mixreuse", p->port);
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = peer_fork(p, "mixreuse");
		if (pids[i] == 0) {
			listener = conn_listen(p, 128);
			fcntl(listener, F_SETFL, O_NONBLOCK);
			peer_post(p);
			worker(p, listener);
		}
	}
	workers_wait(p, pids);
}

/* One listener, made before the workers that accept from it were forked. */
void shape_forked_client(struct peer *p)
{
	many_clients(p, 1);
}

void shape_forked_server(struct peer *p)
{
	int listener = conn_listen(p, 128), pids[WORKERS];

	fcntl(listener, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = peer_fork(p, "mixworker");
		if (pids[i] == 0)
			worker(p, listener);
	}
	peer_post(p);
	workers_wait(p, pids);
}

static void fd_send(struct peer *p, int to, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec data = {&byte, 1};
	struct msghdr m = {.msg_iov = &data,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(to, &m, MSG_NOSIGNAL) != 1)
		peer_fail(p, "SCM_RIGHTS: %s", strerror(errno));
	close(fd);
	if (recv(to, &byte, 1, 0) != 1)
		peer_fail(p, "the process with the socket is gone");
}

static int fd_receive(struct peer *p, int from)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec data = {&byte, 1};
	struct msghdr m = {.msg_iov = &data,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	int fd;

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&m))
		peer_fail(p, "no socket came over SCM_RIGHTS: %s", strerror(errno));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* The other process talks over what it is handed, and closes it. */
__attribute__((noreturn)) static void passed(struct peer *p, int from)
{
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = {.p = p, .fd = fd_receive(p, from), .active = p->client};

		if (p->client) {
			conn_put(&c, peer_up(p, i));
			conn_finish_sending(&c);
			conn_get_eof(&c);
		} else {
			conn_get_eof(&c);
			conn_put(&c, peer_down(p, i));
		}
		conn_close(&c);
		if (send(from, "", 1, MSG_NOSIGNAL) != 1)
			peer_fail(p, "the process that passes is gone");
	}
	_exit(0);
}

static int passed_start(struct peer *p)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		peer_fail(p, "socketpair: %s", strerror(errno));
	if (peer_fork(p, "mixpassed") == 0) {
		close(pair[0]);
		passed(p, pair[1]);
	}
	close(pair[1]);
	return pair[0];
}

void shape_pass_client_client(struct peer *p)
{
	int to = passed_start(p);

	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		fd_send(p, to, c.fd);
	}
}

void shape_pass_client_server(struct peer *p)
{
	shape_half_client_server(p);
}

void shape_pass_server_client(struct peer *p)
{
	shape_half_client_client(p);
}

void shape_pass_server_server(struct peer *p)
{
	int to = passed_start(p), listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		fd_send(p, to, c.fd);
	}
}

/* A process a connection, which ends without closing it. */
static void exit_one(struct peer *p, unsigned int i)
{
	struct conn c = conn_open(p);

	conn_put(&c, peer_up(p, i));
	conn_get(&c, peer_down(p, i));
	c.fd = -1; /* counted as closed; the kernel does it at exit */
	conn_close(&c);
	_exit(0);
}

void shape_exit_client(struct peer *p)
{
	p->tally = peer_tally(p, "mixexit", p->port);
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		int status, pid = peer_fork(p, "mixexit");

		if (pid == 0)
			exit_one(p, i);
		if (waitpid(pid, &status, 0) != pid || status)
			peer_fail(p, "the process of connection %u ended with %d", i, status);
	}
}

void shape_exit_server(struct peer *p)
{
	shape_talk_server(p);
}
