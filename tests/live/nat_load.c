/* SPDX-License-Identifier: Apache-2.0 */
/* See nat_load.h. */
#include "nat_load.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "actor.h"
#include "run.h"

#define THREADS   100
#define BYTES_MAX 4096
#define ANSWER_S  5 /* a datagram that nobody answers failed */

const char *nat_backend_address(const struct nat_phase *p, unsigned int i)
{
	static const char *const v4[] = {"10.77.0.11", "10.77.0.12", "10.77.0.13"};
	static const char *const v6[] = {"fd77::11", "fd77::12", "fd77::13"};

	return p->family == AF_INET ? v4[i] : v6[i];
}

const char *nat_asked_address(const struct nat_phase *p)
{
	return p->family == AF_INET ? "10.99.0.1" : "fd99::1";
}

static socklen_t address_of(const struct nat_phase *p, const char *text, uint16_t port,
			    struct sockaddr_in6 *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	ret->sin6_family = (sa_family_t)p->family;
	ret->sin6_port = htons(port);
	inet_pton(p->family, text, p->family == AF_INET ? (void *)&v4->sin_addr : &ret->sin6_addr);
	return p->family == AF_INET ? sizeof(*v4) : sizeof(*ret);
}

static bool is_udp(const struct nat_phase *p)
{
	return p->transport == MR_TRANSPORT_UDP;
}

static int socket_of(const struct nat_phase *p)
{
	return socket(p->family, is_udp(p) ? SOCK_DGRAM : SOCK_STREAM, 0);
}

/* A back end: how much comes and goes stands in the first bytes; the answer begins with its name.
 */
struct order {
	uint32_t up, down;
};

static int listener_fd;
static unsigned char backend_name;

static bool read_all(int fd, void *to, size_t size)
{
	return !size || recv(fd, to, size, MSG_WAITALL) == (ssize_t)size;
}

static void serve(int fd)
{
	static const char zeros[BYTES_MAX];
	char rest[BYTES_MAX];
	struct order order;

	if (read_all(fd, &order, sizeof(order)) && read_all(fd, rest, order.up - sizeof(order)) &&
	    send(fd, &backend_name, 1, MSG_MORE | MSG_NOSIGNAL) == 1)
		send(fd, zeros, order.down - 1, MSG_NOSIGNAL);
	while (recv(fd, rest, sizeof(rest), 0) > 0)
		;
	close(fd);
}

static void *serve_datagrams(void *unused)
{
	static const char zeros[BYTES_MAX];
	unsigned char answer[BYTES_MAX];
	struct order order;
	struct sockaddr_in6 a;
	socklen_t size = sizeof(a);

	while (recvfrom(listener_fd, answer, sizeof(answer), 0, (struct sockaddr *)&a, &size) >=
	       (ssize_t)sizeof(order)) {
		memcpy(&order, answer, sizeof(order));
		memcpy(answer, zeros, order.down);
		answer[0] = backend_name;
		sendto(listener_fd, answer, order.down, 0, (struct sockaddr *)&a, size);
		size = sizeof(a);
	}
	return NULL;
}

static void *serve_all(void *unused)
{
	for (int fd; (fd = accept(listener_fd, NULL, NULL)) >= 0;)
		serve(fd);
	return NULL;
}

static void run_threads(void *(*fn)(void *), void *userdata)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, fn, userdata))
			_exit(3);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

pid_t nat_backend_start(const struct live *l, const struct nat_phase *p, unsigned int i)
{
	char name[16];
	struct sockaddr_in6 a;
	socklen_t size = address_of(p, nat_backend_address(p, i),
				    (uint16_t)(NAT_PORT_SERVES + p->index), &a);
	pid_t pid;

	snprintf(name, sizeof(name), "natback%u", i);
	pid = actor_fork(l, name, false);
	if (pid)
		return pid;
	backend_name = (unsigned char)i;
	listener_fd = socket_of(p);
	setsockopt(listener_fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(listener_fd, (struct sockaddr *)&a, size) ||
	    (!is_udp(p) && listen(listener_fd, 1024)))
		_exit(2);
	run_threads(is_udp(p) ? serve_datagrams : serve_all, NULL);
	_exit(0);
}

/* The client */

/* Every other socket is connected. */
static bool datagrams(int fd, const struct sockaddr *to, socklen_t size, unsigned int number,
		      struct order order, char bytes[BYTES_MAX])
{
	const struct timeval patience = {.tv_sec = ANSWER_S};
	ssize_t sent;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (number % 2 && connect(fd, to, size))
		return false;
	sent = number % 2 ? send(fd, bytes, order.up, 0) : sendto(fd, bytes, order.up, 0, to, size);
	return sent == (ssize_t)order.up && recv(fd, bytes, BYTES_MAX, 0) == (ssize_t)order.down;
}

static bool stream(int fd, const struct sockaddr *to, socklen_t size, struct order order,
		   char bytes[BYTES_MAX])
{
	return connect(fd, to, size) == 0 &&
	       send(fd, bytes, order.up, MSG_NOSIGNAL) == (ssize_t)order.up &&
	       read_all(fd, bytes, order.down);
}

static bool connection(const struct nat_work *w, unsigned int number, struct order order,
		       unsigned char *ret_backend)
{
	const struct nat_phase *p = w->phase;
	bool asks = p->translates & NAT_DNAT;
	uint16_t port = (uint16_t)((asks ? NAT_PORT_ASKED : NAT_PORT_SERVES) + p->index);
	const char *to =
		asks ? nat_asked_address(p) : nat_backend_address(p, number % NAT_BACKENDS);
	char bytes[BYTES_MAX] = {0};
	struct sockaddr_in6 a;
	socklen_t size = address_of(p, to, port, &a);
	int fd = socket_of(p);
	bool good;

	memcpy(bytes, &order, sizeof(order));
	good = is_udp(p) ? datagrams(fd, (struct sockaddr *)&a, size, number, order, bytes)
			 : stream(fd, (struct sockaddr *)&a, size, order, bytes);
	*ret_backend = (unsigned char)bytes[0];
	pause_us((1000 + number * 7919u % 500 * 1000) / (is_udp(p) ? 10 : 1));
	close(fd);
	return good && *ret_backend < NAT_BACKENDS;
}

static void *connect_all(void *userdata)
{
	struct nat_work *w = userdata;
	unsigned char backend;
	unsigned int i;

	while ((i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED)) < w->connections) {
		const struct order order = {.up = sizeof(order) + i * 31 % 2000,
					    .down = 1 + i * 17 % 3000};

		if (!connection(w, i, order, &backend)) {
			__atomic_fetch_add(&w->failed, 1, __ATOMIC_RELAXED);
			continue;
		}
		__atomic_fetch_add(&w->told[backend].connections, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&w->told[backend].up, order.up, __ATOMIC_RELAXED);
		__atomic_fetch_add(&w->told[backend].down, order.down, __ATOMIC_RELAXED);
	}
	return NULL;
}

pid_t nat_client_start(const struct live *l, struct nat_work *w)
{
	pid_t pid = actor_fork(l, "natclient", true);

	if (pid)
		return pid;
	run_threads(connect_all, w);
	_exit(0);
}
