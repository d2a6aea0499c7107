/* SPDX-License-Identifier: Apache-2.0 */
/* See cluster_load.h. One epoll loop; a connection writes one request at a time. */
#include "cluster_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "cluster_node.h"
#include "wire/encode.h"
#include "wire/exchange.h"

#define LEAD_NS  UINT64_C(500000000) /* between encoding's end and the first window's */
#define ENDS_MAX 256

struct body {
	uint8_t *data;
	uint32_t size, updates;
};

struct connection {
	int fd;
	unsigned int *waiting; /* nodes whose turn has come, a ring of as many as share it */
	unsigned int head, count, capacity;
	unsigned int node; /* whose request is under way */
	bool busy;
	char headers[320], answer[1024];
	size_t header_size, sent, received;
};

struct sender {
	const struct cluster_load *load;
	struct cluster_account *account;
	struct body *bodies;  /* [window * nodes + node] */
	unsigned int *window; /* of each node: the next to send, from 0 */
	struct connection *connections;
	unsigned int connection_count;
	int epoll;
	uint64_t begin_ns;
};

/* Nodes' windows end evenly spread over the second. */
static uint64_t phase_ns(const struct sender *s, unsigned int node)
{
	return NODE_WINDOW_NS * node / s->load->nodes;
}

static uint64_t end_ns(const struct sender *s, unsigned int node, unsigned int window)
{
	return s->begin_ns + window * NODE_WINDOW_NS + phase_ns(s, node);
}

static const struct body *body_of(const struct sender *s, unsigned int node)
{
	return &s->bodies[(size_t)s->window[node] * s->load->nodes + node];
}

static void encode_all(struct sender *s)
{
	const struct cluster c = {s->load->nodes};
	size_t count = (size_t)s->load->nodes * s->load->windows, size;

	s->bodies = calloc(count, sizeof(*s->bodies));
	s->window = calloc(s->load->nodes, sizeof(*s->window));
	for (size_t i = 0; i < count; i++) {
		struct wire_batch *b = cluster_batch(&c, (unsigned int)(i % s->load->nodes),
						     (unsigned int)(i / s->load->nodes) + 1);
		if (!b || wire_encode(b, &s->bodies[i].data, &size))
			bench_die("encode batches: out of memory");
		s->bodies[i].size = (uint32_t)size;
		s->bodies[i].updates = (uint32_t)b->update_count;
		wire_batch_free(b);
	}
}

static int connected(const struct sender *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(s->load->port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		bench_die("connect to the server: %m");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void connect_all(struct sender *s)
{
	unsigned int nodes = s->load->nodes;
	struct rlimit files = {LOAD_CONNECTIONS_MAX + 64, LOAD_CONNECTIONS_MAX + 64};

	setrlimit(RLIMIT_NOFILE, &files);
	s->connection_count = nodes < LOAD_CONNECTIONS_MAX ? nodes : LOAD_CONNECTIONS_MAX;
	s->connections = calloc(s->connection_count, sizeof(*s->connections));
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned int i = 0; i < s->connection_count; i++) {
		struct connection *c = &s->connections[i];
		struct epoll_event wanted = {EPOLLIN, {.ptr = c}};

		c->fd = connected(s);
		c->capacity = nodes / s->connection_count + 1;
		c->waiting = calloc(c->capacity, sizeof(*c->waiting));
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->fd, &wanted);
	}
}

static void want(struct sender *s, struct connection *c, uint32_t events)
{
	struct epoll_event wanted = {events, {.ptr = c}};

	epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &wanted);
}

/* As much as goes. */
static void push(struct sender *s, struct connection *c)
{
	const struct body *b = body_of(s, c->node);
	size_t all = c->header_size + b->size;
	struct iovec part[2];
	ssize_t n;

	if (c->sent < c->header_size) {
		part[0] = (struct iovec){c->headers + c->sent, c->header_size - c->sent};
		part[1] = (struct iovec){b->data, b->size};
		n = writev(c->fd, part, 2);
	} else {
		n = write(c->fd, b->data + (c->sent - c->header_size), all - c->sent);
	}
	if (n < 0 && errno != EAGAIN)
		bench_die("send a batch: %m");
	c->sent += n > 0 ? (size_t)n : 0;
	if (c->sent < all)
		want(s, c, EPOLLIN | EPOLLOUT);
}

/* The agent's clock stands at window + 1 seconds when its window ends. */
static void begin_request(struct sender *s, struct connection *c)
{
	unsigned int node = c->waiting[c->head];
	uint64_t since_ns = clock_ns() - end_ns(s, node, s->window[node]);

	c->head = (c->head + 1) % c->capacity;
	c->count--;
	c->node = node;
	c->busy = true;
	c->sent = c->received = 0;
	c->header_size = (size_t)snprintf(
		c->headers, sizeof(c->headers),
		"POST /api/v1/batches HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: %s\r\n"
		"Content-Length: %u\r\n%s: %llu\r\n\r\n",
		s->load->port, WIRE_CONTENT_TYPE, body_of(s, node)->size, WIRE_NOW_HEADER,
		(unsigned long long)((s->window[node] + 2) * NODE_WINDOW_NS + since_ns));
	push(s, c);
}

static void turn(struct sender *s, unsigned int node)
{
	struct connection *c = &s->connections[node % s->connection_count];

	if (c->count == c->capacity) {
		s->account->late++;
		return;
	}
	c->waiting[(c->head + c->count++) % c->capacity] = node;
	if (!c->busy)
		begin_request(s, c);
}

static void note_answer(struct sender *s, const struct connection *c, unsigned int status)
{
	uint64_t wait_ns = clock_ns() - end_ns(s, c->node, s->window[c->node]);
	const struct body *b = body_of(s, c->node);

	if (status != 204 && status != 200) {
		s->account->refused++;
		s->account->status = status;
		return;
	}
	s->account->taken++;
	if (!s->window[c->node])
		return;
	s->account->updates += b->updates;
	s->account->body_bytes += b->size;
	s->account->wait_ns_sum += wait_ns;
	if (wait_ns > s->account->wait_ns_max)
		s->account->wait_ns_max = wait_ns;
}

/* Where the answer ends, 0: not yet. A 204 has no body; who refuses closes or is told its length.
 */
static size_t answer_end(struct connection *c)
{
	char *end, *length;

	c->answer[c->received] = 0;
	end = strstr(c->answer, "\r\n\r\n");
	if (!end)
		return 0;
	length = strcasestr(c->answer, "\r\nContent-Length:");
	return (size_t)(end + 4 - c->answer) +
	       (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

static void pull(struct sender *s, struct connection *c)
{
	ssize_t n = read(c->fd, c->answer + c->received, sizeof(c->answer) - 1 - c->received);
	size_t end;

	if (n == 0)
		bench_die("send batches: the server closed a connection");
	if (n < 0 && errno != EAGAIN)
		bench_die("read an answer: %m");
	c->received += n > 0 ? (size_t)n : 0;
	end = answer_end(c);
	if (!end || (end > c->received && c->received < sizeof(c->answer) - 1))
		return;
	note_answer(s, c, (unsigned int)strtoul(c->answer + 9, NULL, 10));
	s->window[c->node]++;
	c->busy = false;
	if (c->count)
		begin_request(s, c);
}

static void serve(struct sender *s, int timeout_ms)
{
	struct epoll_event events[ENDS_MAX];
	int n = epoll_wait(s->epoll, events, ENDS_MAX, timeout_ms);

	for (int i = 0; i < n; i++) {
		struct connection *c = events[i].data.ptr;

		if (events[i].events & EPOLLOUT && c->busy) {
			want(s, c, EPOLLIN);
			push(s, c);
		}
		if (events[i].events & ~(uint32_t)EPOLLOUT)
			pull(s, c);
	}
}

static uint64_t own_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Turns come in order: by window, and within it by node. */
static void send_all(struct sender *s)
{
	unsigned int window = 0, node = 0;
	uint64_t cpu_ns = own_cpu_ns(), before = 0;
	uint32_t all = s->load->nodes * s->load->windows;

	while (s->account->taken + s->account->refused + s->account->late < all) {
		while (window < s->load->windows && clock_ns() >= end_ns(s, node, window)) {
			turn(s, node);
			if (++node == s->load->nodes) {
				node = 0;
				window++;
			}
		}
		serve(s, 1);
		before = own_cpu_ns() - cpu_ns;
		s->account->cpu_ns = before;
	}
}

_Noreturn static void run_sender(const struct cluster_load *l, struct cluster_account *a)
{
	struct sender s = {.load = l, .account = a};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "clusterload");
	prctl(PR_SET_TIMERSLACK, 1000);
	encode_all(&s);
	connect_all(&s);
	s.begin_ns = clock_ns() + LEAD_NS;
	__atomic_store_n(&a->begin_ns, s.begin_ns, __ATOMIC_RELEASE);
	send_all(&s);
	a->done = true;
	for (;;) /* its connections stay until it is ended */
		pause();
}

pid_t cluster_load_start(const struct cluster_load *l, struct cluster_account **ret)
{
	struct cluster_account *a =
		mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = a == MAP_FAILED ? -1 : fork();

	if (pid == 0)
		run_sender(l, a);
	if (pid < 0)
		bench_die("start the simulated agents: %m");
	while (!__atomic_load_n(&a->begin_ns, __ATOMIC_ACQUIRE)) {
		if (waitpid(pid, NULL, WNOHANG))
			bench_die("start the simulated agents");
		pause_us(1000);
	}
	*ret = a;
	return pid;
}

void cluster_load_stop(pid_t pid, struct cluster_account *a)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(a, sizeof(*a));
}
