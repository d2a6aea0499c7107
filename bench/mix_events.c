/* SPDX-License-Identifier: Apache-2.0 */
#include "mix_events.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tests/live/dns_client.h"
#include "../tests/live/run.h"

#define MESSAGE_BYTES 128
#define ANSWER_MS     2000

static struct sockaddr_in address_of(const char *address, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, address, &a.sin_addr);
	return a;
}

static int bound(int type, const char *address, uint16_t port)
{
	struct sockaddr_in a = address_of(address, port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		bench_die("serve port %u: %m", port);
	return fd;
}

static void give_up_late(int fd)
{
	const struct timeval wait = {.tv_sec = ANSWER_MS / 1000};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
}

static int connected(int type, const char *address, uint16_t port)
{
	struct sockaddr_in a = address_of(address, port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	give_up_late(fd);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		bench_die("connect to %s, port %u: %m", address, port);
	return fd;
}

void mix_serve_tcp(uint16_t port, int ready)
{
	int listener = bound(SOCK_STREAM, "0.0.0.0", port);
	char message[MESSAGE_BYTES];

	if (listen(listener, 512))
		bench_die("listen on port %u: %m", port);
	close(ready);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		give_up_late(fd);
		if (recv(fd, message, sizeof(message), MSG_WAITALL) == sizeof(message))
			send(fd, message, sizeof(message), MSG_NOSIGNAL);
		close(fd);
	}
}

bool mix_connect(const char *address, uint16_t port)
{
	char message[MESSAGE_BYTES] = {0}, end;
	int fd = connected(SOCK_STREAM, address, port);
	bool done = send(fd, message, sizeof(message), MSG_NOSIGNAL) == sizeof(message) &&
		    recv(fd, message, sizeof(message), MSG_WAITALL) == sizeof(message) &&
		    recv(fd, &end, 1, 0) == 0;

	close(fd);
	return done;
}

/* What is to be sent back in place of what came. */
static void serve_datagrams(int fd, size_t (*answer)(uint8_t *bytes, size_t size))
{
	uint8_t bytes[2048];
	struct sockaddr_in from;

	for (;;) {
		socklen_t size = sizeof(from);
		ssize_t n =
			recvfrom(fd, bytes, sizeof(bytes) / 2, 0, (struct sockaddr *)&from, &size);

		if (n > 0)
			sendto(fd, bytes, answer(bytes, (size_t)n), 0, (struct sockaddr *)&from,
			       size);
	}
}

static size_t echo(uint8_t *bytes, size_t size)
{
	return size;
}

void mix_serve_udp(uint16_t port, int ready)
{
	int fd = bound(SOCK_DGRAM, MIX_ADDRESS, port);

	close(ready);
	serve_datagrams(fd, echo);
	_exit(1);
}

bool mix_datagram(void)
{
	char message[MESSAGE_BYTES] = {0};
	int fd = connected(SOCK_DGRAM, MIX_ADDRESS, MIX_UDP_PORT);
	bool done = send(fd, message, sizeof(message), 0) == sizeof(message) &&
		    recv(fd, message, sizeof(message), 0) == sizeof(message);

	close(fd);
	return done;
}

/* One A record: this machine. */
static size_t resolve(uint8_t *bytes, size_t size)
{
	static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};

	bytes[2] = 0x81;
	bytes[3] = 0x80;
	bytes[7] = 1;
	memcpy(bytes + size, record, sizeof(record));
	return size + sizeof(record);
}

void mix_serve_dns(int ready)
{
	int fd = bound(SOCK_DGRAM, MIX_RESOLVER, 53);

	close(ready);
	serve_datagrams(fd, resolve);
	_exit(1);
}

bool mix_query(unsigned int number)
{
	static struct dns_told told;
	char name[64];

	snprintf(name, sizeof(name), "service-%u.mix.example", number % 50);
	return dns_ask(&told, MIX_RESOLVER, name, 1, ANSWER_MS) == 0;
}

bool mix_process(void)
{
	char *const argv[] = {"true", NULL}, *const envp[] = {NULL};
	pid_t pid;

	if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, envp) || waitpid(pid, NULL, 0) != pid)
		bench_die("run /bin/true");
	return true;
}

bool mix_container(const char *parent, unsigned int number)
{
	char path[512], file[600];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/docker-%064x.scope", parent, number);
	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	if (mkdir(path, 0755))
		bench_die("make the cgroup %s: %m", path);
	pid = fork();
	if (pid == 0) {
		if (file_write(file, "0") == 0)
			mix_connect(MIX_ADDRESS, MIX_TCP_PORT);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		bench_die("run a process in %s: %m", path);
	while (rmdir(path))
		pause_us(1000);
	return true;
}
