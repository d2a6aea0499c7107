/* SPDX-License-Identifier: Apache-2.0 */
#include "actor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"

static struct spawn place(const struct live *l, bool at_client)
{
	return (struct spawn){.netns = at_client ? l->net.client : l->net.server,
			      .cpu = at_client ? l->net.client_cpu : l->net.server_cpu,
			      .cgroup = l->net.cgroup};
}

pid_t actor_fork(const struct live *l, const char *name, bool at_client)
{
	pid_t pid = fork();
	char path[512];

	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, name);
	signal(SIGTERM, SIG_DFL);
	alarm(600);
	snprintf(path, sizeof(path), "%s/cgroup.procs", l->net.cgroup);
	if (file_write(path, "0") || net_enter(at_client ? l->net.client : l->net.server))
		_exit(126);
	return 0;
}

pid_t actor_spawn(const struct live *l, bool at_client, unsigned int uid, const char *log,
		  const char *const argv[])
{
	struct spawn how = place(l, at_client);

	how.uid = uid;
	how.log = log;
	return spawn(&how, argv);
}

int actor_run(const struct live *l, bool at_client, unsigned int uid, const char *const argv[],
	      char *out, size_t size, unsigned int timeout_ms)
{
	struct spawn how = place(l, at_client);

	how.uid = uid;
	return run(&how, argv, out, size, timeout_ms);
}

static struct sockaddr_in address_of(const char *address, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, address, &a.sin_addr);
	return a;
}

int actor_connect(const char *address, uint16_t port, bool wait, int *ret_error)
{
	struct sockaddr_in a = address_of(address, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK), 0);

	*ret_error = connect(fd, (struct sockaddr *)&a, sizeof(a)) ? errno : 0;
	return fd;
}

int actor_listen(const char *address, uint16_t port)
{
	struct sockaddr_in a = address_of(address, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 128))
		return -errno;
	return fd;
}

/* Looks at the kernel's list of sockets, since a connection would be counted. */
bool actor_accepts(void *userdata)
{
	const struct actor_port *p = userdata;
	struct sockaddr_in a = address_of(p->address, p->port);
	static char text[262144];
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "%08X:%04X 00000000:0000 0A", a.sin_addr.s_addr, p->port);
	net_enter(p->live->net.server);
	file_read("/proc/thread-self/net/tcp", text, sizeof(text));
	net_enter(p->live->net.home);
	return strstr(text, wanted) != NULL;
}
