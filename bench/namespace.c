/* SPDX-License-Identifier: Apache-2.0 */
#include "namespace.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

int namespace_home(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return fd;
}

void namespace_enter(int netns)
{
	if (setns(netns, CLONE_NEWNET))
		bench_die("enter a network namespace: %m");
}

static void raise_loopback(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		bench_die("raise loopback: %m");
	close(fd);
}

int namespace_make(void)
{
	int home = namespace_home(), made;

	if (home < 0 || unshare(CLONE_NEWNET))
		bench_die("make a network namespace: %m");
	raise_loopback();
	made = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	namespace_enter(home);
	return made;
}
