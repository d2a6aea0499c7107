/* SPDX-License-Identifier: Apache-2.0 */
/* See link.h. One thread, one poll(); a piece of data is passed on when its time has come. */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "run.h"

#define PAIRS_MAX  16
#define PIECES_MAX 64
#define PIECE_SIZE 4096
#define TICK_MS    5

struct piece {
	uint64_t due_ns;
	size_t size, done;
	char data[PIECE_SIZE];
};

/* One direction: a queue of pieces between two sockets. */
struct lane {
	unsigned int first, count;
	uint64_t free_ns; /* when the next piece may go, as throttled */
	bool ended, told_end;
	struct piece piece[PIECES_MAX];
};

struct pair {
	int fd[2];          /* the agent's, the server's; -1: free */
	struct lane way[2]; /* from fd[i] to fd[!i] */
};

struct relay {
	struct link_shared *shared;
	int listener;
	uint16_t to;
	uint32_t resets;
	struct pair pair[PAIRS_MAX];
};

static int listen_at(int netns, int home, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd;

	if (net_enter(netns))
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	net_enter(home);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 64)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void reset(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(fd);
}

static void pair_end(struct relay *r, struct pair *p, bool by_reset)
{
	for (int i = 0; i < 2; i++) {
		if (by_reset)
			reset(p->fd[i]);
		else
			close(p->fd[i]);
		p->fd[i] = -1;
	}
	r->shared->cut += by_reset;
}

static int connect_on(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static struct pair *pair_free(struct relay *r)
{
	for (int i = 0; i < PAIRS_MAX; i++)
		if (r->pair[i].fd[0] < 0)
			return &r->pair[i];
	return NULL;
}

static void take_new(struct relay *r)
{
	int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct pair *p = fd < 0 ? NULL : pair_free(r);
	int on = p && r->shared->state != LINK_CUT ? connect_on(r->to) : -1;

	if (fd < 0)
		return;
	r->shared->connections++;
	if (on < 0) {
		reset(fd);
		r->shared->cut++;
		return;
	}
	memset(p, 0, sizeof(*p));
	p->fd[0] = fd;
	p->fd[1] = on;
}

/* When a piece of that size may be passed on. */
static uint64_t due(const struct relay *r, struct lane *w, size_t size)
{
	uint64_t at = clock_ns() + r->shared->delay_ms * 1000000ull;

	if (at < w->free_ns)
		at = w->free_ns;
	if (r->shared->bytes_per_s)
		w->free_ns = at + size * 1000000000ull / r->shared->bytes_per_s;
	return at;
}

/* False: the connection is broken. */
static bool take(struct relay *r, struct pair *p, int from)
{
	struct lane *w = &p->way[from];
	struct piece *e = &w->piece[(w->first + w->count) % PIECES_MAX];
	ssize_t n = recv(p->fd[from], e->data, sizeof(e->data), 0);

	if (n < 0)
		return errno == EAGAIN;
	if (n == 0) {
		w->ended = true;
		return true;
	}
	*(from ? &r->shared->down : &r->shared->up) += (uint64_t)n;
	e->size = (size_t)n;
	e->done = 0;
	e->due_ns = due(r, w, e->size);
	w->count++;
	return true;
}

static bool give(struct relay *r, struct pair *p, int from)
{
	struct lane *w = &p->way[from];

	if (r->shared->state == LINK_SILENT)
		return true;
	while (w->count && w->piece[w->first].due_ns <= clock_ns()) {
		struct piece *e = &w->piece[w->first];
		ssize_t n = send(p->fd[!from], e->data + e->done, e->size - e->done, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == ENOTCONN;
		e->done += (size_t)n;
		if (e->done < e->size)
			return true;
		w->first = (w->first + 1) % PIECES_MAX;
		w->count--;
	}
	if (w->ended && !w->count && !w->told_end) {
		shutdown(p->fd[!from], SHUT_WR);
		w->told_end = true;
	}
	return true;
}

static void pair_step(struct relay *r, struct pair *p, const struct pollfd poll[2])
{
	bool good = true;

	for (int i = 0; good && i < 2; i++) {
		if (poll[i].revents & POLLERR)
			good = false;
		else if (poll[i].revents & (POLLIN | POLLHUP) && !p->way[i].ended &&
			 p->way[i].count < PIECES_MAX)
			good = take(r, p, i);
		good = good && give(r, p, i);
	}
	if (!good)
		pair_end(r, p, true);
	else if (p->way[0].told_end && p->way[1].told_end)
		pair_end(r, p, false);
}

static void cut_all(struct relay *r)
{
	for (int i = 0; i < PAIRS_MAX; i++)
		if (r->pair[i].fd[0] >= 0)
			pair_end(r, &r->pair[i], true);
}

static void wait_events(struct relay *r, struct pollfd poll_fds[1 + 2 * PAIRS_MAX])
{
	poll_fds[0] = (struct pollfd){.fd = r->listener, .events = POLLIN};
	for (int i = 0; i < 2 * PAIRS_MAX; i++) {
		const struct pair *p = &r->pair[i / 2];
		const struct lane *w = &p->way[i % 2];
		bool wanted = p->fd[0] >= 0 && !w->ended && w->count < PIECES_MAX;

		poll_fds[1 + i] =
			(struct pollfd){.fd = wanted ? p->fd[i % 2] : -1, .events = POLLIN};
	}
	poll(poll_fds, 1 + 2 * PAIRS_MAX, TICK_MS);
}

__attribute__((noreturn)) static void relay_main(struct relay *r)
{
	struct pollfd events[1 + 2 * PAIRS_MAX];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "link");
	signal(SIGTERM, SIG_DFL);
	for (int i = 0; i < PAIRS_MAX; i++)
		r->pair[i].fd[0] = r->pair[i].fd[1] = -1;
	for (;;) {
		wait_events(r, events);
		if (r->shared->state == LINK_CUT || r->resets != r->shared->resets)
			cut_all(r);
		r->resets = r->shared->resets;
		if (events[0].revents)
			take_new(r);
		for (int i = 0; i < PAIRS_MAX; i++)
			if (r->pair[i].fd[0] >= 0)
				pair_step(r, &r->pair[i], &events[1 + 2 * i]);
	}
}

bool link_start(struct link *k, int netns, uint16_t port, uint16_t to)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct relay *r = calloc(1, sizeof(*r));

	*k = (struct link){.port = port};
	k->shared = mmap(NULL, sizeof(*k->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (home < 0 || !r || k->shared == MAP_FAILED)
		return false;
	r->shared = k->shared;
	r->to = to;
	r->listener = listen_at(netns, home, port);
	close(home);
	k->pid = r->listener < 0 ? -1 : fork();
	if (k->pid == 0)
		relay_main(r);
	if (r->listener >= 0)
		close(r->listener);
	free(r);
	return k->pid > 0;
}

void link_end(struct link *k)
{
	if (k->pid > 0)
		process_end(k->pid, SIGKILL, 5000);
	if (k->shared && k->shared != MAP_FAILED)
		munmap(k->shared, sizeof(*k->shared));
	*k = (struct link){0};
}

void link_set(struct link *k, enum link_state state)
{
	__atomic_store_n(&k->shared->state, state, __ATOMIC_RELEASE);
}

void link_slow(struct link *k, uint32_t delay_ms, uint32_t bytes_per_s)
{
	__atomic_store_n(&k->shared->delay_ms, delay_ms, __ATOMIC_RELEASE);
	__atomic_store_n(&k->shared->bytes_per_s, bytes_per_s, __ATOMIC_RELEASE);
}

void link_reset(struct link *k)
{
	__atomic_add_fetch(&k->shared->resets, 1, __ATOMIC_ACQ_REL);
}
