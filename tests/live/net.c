/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

int net_enter(int netns)
{
	return setns(netns, CLONE_NEWNET) ? -errno : 0;
}

static int words(char *text, const char **argv, int max)
{
	int n = 0;

	for (char *w = strtok(text, " "); w && n < max - 1; w = strtok(NULL, " "))
		argv[n++] = w;
	argv[n] = NULL;
	return n;
}

int net_ip(int netns, const char *arguments)
{
	const char *argv[32] = {program_find("ip")};
	char text[512], out[512];
	int r;

	if (!argv[0])
		return -ENOENT;
	snprintf(text, sizeof(text), "%s", arguments);
	words(text, argv + 1, 31);
	r = run(&(struct spawn){.netns = netns}, argv, out, sizeof(out), 20000);
	if (r)
		fprintf(stderr, "cannot run ip %s: %s\n", arguments, out);
	return r ? -EIO : 0;
}

int net_nft(int netns, const char *ruleset)
{
	const char *nft = program_find("nft");
	char out[512];
	int r;

	if (!nft)
		return -ENOENT;
	r = run(&(struct spawn){.netns = netns, .input = ruleset},
		(const char *const[]){nft, "-f", "-", NULL}, out, sizeof(out), 20000);
	return r ? -EIO : 0;
}

int net_sysctl(const struct net *n, int netns, const char *name, const char *value)
{
	char path[256];
	int r = net_enter(netns);

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	if (r == 0)
		r = file_write(path, value);
	net_enter(n->home);
	return r;
}

/* The group's two lines are a list of names and one of values. */
static long long snmp_value(const char *text, const char *group, const char *name)
{
	const char *names = strstr(text, group), *values;
	char *n_end, *v_end, *n, *v, names_copy[8192], values_copy[8192];

	values = names ? strchr(names, '\n') : NULL;
	if (!values)
		return -1;
	snprintf(names_copy, sizeof(names_copy), "%.*s", (int)(values - names), names);
	snprintf(values_copy, sizeof(values_copy), "%.*s", (int)strcspn(values + 1, "\n"),
		 values + 1);
	n = strtok_r(names_copy, " ", &n_end);
	v = strtok_r(values_copy, " ", &v_end);
	for (; n && v; n = strtok_r(NULL, " ", &n_end), v = strtok_r(NULL, " ", &v_end))
		if (strcmp(n, name) == 0)
			return atoll(v);
	return -1;
}

long long net_snmp(const struct net *n, int netns, const char *group, const char *name)
{
	static const char *const files[] = {"/proc/thread-self/net/snmp",
					    "/proc/thread-self/net/netstat"};
	static char text[32768];
	long long value = -1;

	net_enter(netns);
	for (int i = 0; i < 2 && value < 0; i++)
		if (file_read(files[i], text, sizeof(text)) == 0)
			value = snmp_value(text, group, name);
	net_enter(n->home);
	return value;
}

const char *cgroup_root(void)
{
	static char root[256];
	static char text[32768];

	if (file_read("/proc/self/mounts", text, sizeof(text)))
		return NULL;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char type[32];

		if (sscanf(line, "%*s %255s %31s", root, type) == 2 && strcmp(type, "cgroup2") == 0)
			return root;
	}
	return NULL;
}

int net_namespace(int home)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	net_enter(home);
	return fd < 0 ? -errno : fd;
}

/* sysfs shows the devices of the namespace it was mounted in. */
static int rps_set(int netns, const char *device, int cpu)
{
	pid_t pid = fork();
	char path[128], mask[16];

	if (pid)
		return process_wait(pid, 10000);
	if (net_enter(netns) || unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL))
		_exit(1);
	snprintf(path, sizeof(path), "/sys/class/net/%s/queues/rx-0/rps_cpus", device);
	snprintf(mask, sizeof(mask), "%x", 1u << (cpu - 1));
	_exit(file_write(path, mask) ? 1 : 0);
}

static void net_steer(struct net *n)
{
	cpu_set_t cpus;
	int first = -1, second = -1, r;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (int i = 0; i < CPU_SETSIZE && second < 0; i++)
		if (CPU_ISSET(i, &cpus))
			*(first < 0 ? &first : &second) = i;
	if (second < 0) {
		snprintf(n->rps, sizeof(n->rps), "one CPU: nothing steered");
		return;
	}
	n->client_cpu = first + 1;
	n->server_cpu = second + 1;
	r = rps_set(n->client, "veth0", n->server_cpu) |
	    rps_set(n->server, "veth1", n->client_cpu) | rps_set(n->client, "lo", n->server_cpu) |
	    rps_set(n->server, "lo", n->client_cpu);
	snprintf(n->rps, sizeof(n->rps),
		 r ? "no RPS here" : "client on CPU %d, server on CPU %d, RPS crossed", first,
		 second);
}

static int net_link(struct net *n)
{
	char text[256];
	int r;

	snprintf(text, sizeof(text),
		 "link add veth0 type veth peer name veth1 netns /proc/%d/fd/%d", getpid(),
		 n->server);
	r = net_ip(n->client, text);
	if (r)
		return r;
	r = net_ip(n->client, "addr add " NET_CLIENT4 "/24 dev veth0") |
	    net_ip(n->server, "addr add " NET_SERVER4 "/24 dev veth1") |
	    net_ip(n->client, "link set lo up") | net_ip(n->server, "link set lo up") |
	    net_ip(n->client, "link set veth0 up") | net_ip(n->server, "link set veth1 up") |
	    net_ip(n->client, "-6 addr add " NET_CLIENT6 "/64 dev veth0 nodad") |
	    net_ip(n->server, "-6 addr add " NET_SERVER6 "/64 dev veth1 nodad");
	return r ? -EIO : 0;
}

static bool mptcp_works(const struct net *n)
{
	int fd;

	net_enter(n->client);
	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	net_enter(n->home);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* A directory and those in it; one that still has processes stays. */
static void cgroup_remove(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char inner[1024];

	while (d && (e = readdir(d))) {
		snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			rmdir(inner);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

/* Directories of runs that were killed: empty, and their process is gone. */
static void net_cgroup_forget(const char *root)
{
	DIR *d = opendir(root);
	struct dirent *e;
	char path[600];
	int pid;

	while (d && (e = readdir(d))) {
		if (sscanf(e->d_name, "millrace-live.%d", &pid) != 1 || kill(pid, 0) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", root, e->d_name);
		cgroup_remove(path);
	}
	if (d)
		closedir(d);
}

static int net_cgroup(struct net *n)
{
	const char *root = cgroup_root();

	if (!root)
		return -ENOENT;
	net_cgroup_forget(root);
	if (asprintf(&n->cgroup, "%s/millrace-live.%d", root, getpid()) < 0)
		return -ENOMEM;
	return mkdir(n->cgroup, 0755) && errno != EEXIST ? -errno : 0;
}

void net_tune(const struct net *n, int netns)
{
	net_sysctl(n, netns, "ipv4/tcp_fastopen", "3");
	net_sysctl(n, netns, "ipv4/tcp_challenge_ack_limit", "1000000");
	net_sysctl(n, netns, "ipv4/tcp_invalid_ratelimit", "0");
	net_sysctl(n, netns, "core/somaxconn", "4096");
	net_sysctl(n, netns, "ipv4/tcp_max_tw_buckets", "262144"); /* no RST for want of one */
}

static int net_pair(struct net *n)
{
	int r;

	*n = (struct net){.home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
	n->client = net_namespace(n->home);
	n->server = net_namespace(n->home);
	if (n->client < 0 || n->server < 0)
		return -EPERM;
	r = net_link(n);
	if (r)
		return r;
	net_steer(n);
	net_tune(n, n->client);
	net_tune(n, n->server);
	return 0;
}

int net_open(struct net *n)
{
	int r = net_pair(n);

	if (r == 0)
		r = net_cgroup(n);
	if (r)
		return r;
	n->mptcp = mptcp_works(n);
	n->nft = net_nft(n->client, "table inet probe { }\ndelete table inet probe\n") == 0;
	return 0;
}

int net_open_below(struct net *n, const struct net *above, const char *name)
{
	int r = net_pair(n);

	if (r)
		return r;
	if (asprintf(&n->cgroup, "%s/%s", above->cgroup, name) < 0)
		return -ENOMEM;
	n->mptcp = above->mptcp;
	n->nft = above->nft;
	return mkdir(n->cgroup, 0755) && errno != EEXIST ? -errno : 0;
}

void net_close(struct net *n)
{
	if (n->cgroup)
		cgroup_remove(n->cgroup);
	free(n->cgroup);
	close(n->client);
	close(n->server);
	close(n->home);
	*n = (struct net){0};
}
