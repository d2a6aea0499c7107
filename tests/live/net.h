/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two network namespaces joined by a veth pair, softirqs steered to the other CPU.
 *
 *     client namespace  veth0 10.77.0.1 fd77::1 ─── veth1 10.77.0.2 fd77::2  server namespace
 *
 * The namespaces have no name: they are kept by file descriptors and vanish with the processes
 * that hold them, even when the test is killed. RPS makes each side receive on the CPU where its
 * own processes do not run, so that the kernel's two halves of a socket meet for real.
 */
#pragma once

#include <stdbool.h>

#define NET_CLIENT4 "10.77.0.1"
#define NET_SERVER4 "10.77.0.2"
#define NET_CLIENT6 "fd77::1"
#define NET_SERVER6 "fd77::2"
#define NET_NOBODY4 "10.77.0.99" /* on the link, but no such host */

struct net {
	int home, client, server;   /* namespaces */
	int client_cpu, server_cpu; /* 1 + CPU; 0 on a machine with one */
	bool mptcp;
	bool nft;
	char *cgroup; /* v2 directory where the load runs */
	/* NULL: as ever. For two machines of a lan: */
	const char *client_cgroup;     /* where the client's end runs */
	const char *server4, *server6; /* addresses of the server's */
	char rps[64]; /* for people: what was steered where */
};

int net_open(struct net *n); /* 0 or -errno; says on stderr what is missing */
/* Another pair of namespaces, with the same addresses and a cgroup inside of the other's. */
int net_open_below(struct net *n, const struct net *above, const char *name);
void net_close(struct net *n); /* cgroups inside of this one go, too */

int net_namespace(int home); /* a new one without a name: its descriptor or -errno */
int net_enter(int netns);
int net_sysctl(const struct net *n, int netns, const char *name, const char *value);
void net_tune(const struct net *n, int netns); /* as the shapes of the load need it */
int net_ip(int netns, const char *arguments); /* `ip …` inside */
int net_nft(int netns, const char *ruleset);  /* `nft -f -` inside */
/* A counter of /proc/net/snmp or netstat, "Tcp:" "ActiveOpens"; -1: none. */
long long net_snmp(const struct net *n, int netns, const char *group, const char *name);

/* Where cgroup v2 is mounted; NULL: nowhere. Static storage. */
const char *cgroup_root(void);
