/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel side under its hardest race: sweeps without a pause on one CPU while connections open,
 * exchange and close on another. Each close that finds the sweep at work hands over, and still
 * every connection and every byte is there once. Needs root.
 */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/types.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "agent/cgroup_mount.h"
#include "agent/probe_internal.h"

#define CONNECTIONS         5000
#define ROUNDS_MAX          20 /* until a close has met the sweep */
#define SWEEPS_BETWEEN_SWAP 200

struct churn {
	int listener;
	struct sockaddr_in address;
	uint64_t up, down; /* bytes sent by the client, by the server */
	bool done;
};

struct totals {
	uint16_t port;
	uint64_t counter[MR_ROLE_SERVER + 1][MR_COUNTER_COUNT]; /* by role */
};

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set); /* with one CPU: no race to see, still exact */
}

static size_t drained(int fd)
{
	char buffer[8192];
	size_t sum = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		sum += (size_t)n;
	return sum;
}

static void put(int fd, size_t bytes)
{
	static const char buffer[4096];

	while (bytes) {
		ssize_t n = write(fd, buffer, bytes < sizeof(buffer) ? bytes : sizeof(buffer));

		if (n <= 0)
			abort();
		bytes -= (size_t)n;
	}
}

static void *serve(void *userdata)
{
	struct churn *c = userdata;

	pin(1);
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = accept(c->listener, NULL, NULL);
		size_t answer = (size_t)i * 7 % 4096;

		drained(fd);
		put(fd, answer);
		c->down += answer;
		close(fd);
	}
	return NULL;
}

static void *connect_and_close(void *userdata)
{
	struct churn *c = userdata;

	pin(1);
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		size_t request = (size_t)i * 13 % 4096;

		if (connect(fd, (struct sockaddr *)&c->address, sizeof(c->address)))
			abort();
		put(fd, request);
		c->up += request;
		shutdown(fd, SHUT_WR);
		drained(fd);
		close(fd);
	}
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void listen_somewhere(struct churn *c)
{
	socklen_t size = sizeof(c->address);

	c->address = (struct sockaddr_in){.sin_family = AF_INET,
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	c->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(c->listener, (struct sockaddr *)&c->address, size), 0);
	assert_int_equal(listen(c->listener, 128), 0);
	assert_int_equal(getsockname(c->listener, (struct sockaddr *)&c->address, &size), 0);
}

static int add(void *userdata, const struct mr_flow_key *key, const struct mr_flow_value *value)
{
	struct totals *t = userdata;

	if (key->port == t->port && !key->coarse && key->transport == MR_TRANSPORT_TCP)
		for (uint32_t i = 0; i < MR_COUNTER_COUNT; i++)
			t->counter[key->role][i] += value->counter[i];
	return 0;
}

static void sweep_all(struct probe *p)
{
	struct probe_sweep all = {.backoff_max = 1, .everything = true};
	bool done = false;

	while (!done)
		assert_int_equal(probe_sweep(p, &all, &done), 0);
}

static void collect(struct probe *p, struct totals *t)
{
	assert_int_equal(probe_swap(p), 0);
	assert_int_equal(probe_drain(p, add, t), 0);
}

static void expect(const struct totals *t, uint8_t role, uint64_t up, uint64_t down)
{
	const uint64_t *counter = t->counter[role];

	assert_int_equal(counter[MR_OPENED], CONNECTIONS);
	assert_int_equal(counter[MR_CLOSED], CONNECTIONS);
	assert_int_equal(counter[MR_BYTES_TO_SERVER], up);
	assert_int_equal(counter[MR_BYTES_TO_CLIENT], down);
	assert_int_equal(counter[MR_ATTEMPTED], role == MR_ROLE_CLIENT ? CONNECTIONS : 0);
}

static bool has_settled(const struct totals *t)
{
	return t->counter[MR_ROLE_CLIENT][MR_CLOSED] == CONNECTIONS &&
	       t->counter[MR_ROLE_SERVER][MR_CLOSED] == CONNECTIONS;
}

static int move_to(const char *cgroup)
{
	char procs[PATH_MAX + 16];
	FILE *f;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
	f = fopen(procs, "we");
	if (!f)
		return -1;
	fprintf(f, "%d\n", (int)getpid());
	return fclose(f);
}

/* A cgroup of our own, so that the sweep has only our sockets to look at. */
static int cgroup_enter(void **state)
{
	static char path[PATH_MAX];
	char mount[PATH_MAX / 2];

	if (cgroup_mount(mount, sizeof(mount)) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/millrace-probe-test.%d", mount, (int)getpid());
	*state = path;
	return mkdir(path, 0755) ? -1 : move_to(path);
}

static int cgroup_leave(void **state)
{
	char mount[PATH_MAX / 2];

	if (cgroup_mount(mount, sizeof(mount)) < 0 || move_to(mount))
		return -1;
	return rmdir(*state);
}

/* Connections come and go while the sweep never rests; then all of them must be there. */
static void churn_under_sweeps(struct probe *p)
{
	struct churn churn = {0};
	struct totals totals = {0};
	pthread_t server, client;

	listen_somewhere(&churn);
	totals.port = ntohs(churn.address.sin_port);
	assert_int_equal(pthread_create(&server, NULL, serve, &churn), 0);
	assert_int_equal(pthread_create(&client, NULL, connect_and_close, &churn), 0);
	while (!__atomic_load_n(&churn.done, __ATOMIC_ACQUIRE)) {
		for (int i = 0; i < SWEEPS_BETWEEN_SWAP; i++)
			sweep_all(p);
		collect(p, &totals);
	}
	pthread_join(client, NULL);
	pthread_join(server, NULL);
	for (int tries = 0; tries < 1000 && !has_settled(&totals); tries++) {
		usleep(1000); /* the last close is the kernel's own work */
		sweep_all(p);
		collect(p, &totals);
	}
	close(churn.listener);
	expect(&totals, MR_ROLE_CLIENT, churn.up, churn.down);
	expect(&totals, MR_ROLE_SERVER, churn.up, churn.down);
}

static void closes_that_meet_the_sweep_count_once(void **state)
{
	struct probe_config config = {
		.cgroup = *state, .slots_max = 16, .flows_max = 64, .udp = PROBE_UDP_OFF};
	const struct mr_totals *totals;
	struct error e;
	struct probe *p;
	int rounds = 0;

	probe_quiet();
	assert_int_equal(probe_open(&p, &config, &e), 0);
	totals = &p->skel->bss->mr_totals;
	pin(0);
	do
		churn_under_sweeps(p);
	while (++rounds < ROUNDS_MAX && !totals->handovers);
	print_message("%llu of %d closes met the sweep\n", (unsigned long long)totals->handovers,
		      2 * CONNECTIONS * rounds);
	assert_int_equal(totals->close_unseen, 0);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		assert_true(totals->handovers > 0);
	probe_free(p);
}

static void a_hook_that_is_not_there_is_named(void **state)
{
	struct probe_config config = {.slots_max = 16, .flows_max = 64, .udp = PROBE_UDP_FENTRY};
	struct error e = {0};
	struct probe *p = NULL;
	int r;

	probe_quiet();
	r = probe_open(&p, &config, &e);
	if (probe_udp_fentry_works()) {
		assert_int_equal(r, 0);
		assert_non_null(strstr(probe_hooks(p), "fentry (UDP)"));
	} else {
		assert_int_equal(r, -EOPNOTSUPP);
		assert_non_null(strstr(e.text, "this kernel does not let fentry attach; leave "
					       "--udp-hook out"));
	}
	probe_free(p);
}

static void give_up_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capset, &head, none))
		_exit(2);
}

static void root_is_not_told_to_be_root(void **state)
{
	struct probe_config config = {.slots_max = 16, .flows_max = 64, .udp = PROBE_UDP_OFF};
	struct error e = {0};
	struct probe *p = NULL;
	int status;
	pid_t child = fork();

	if (!child) {
		give_up_capabilities();
		if (probe_open(&p, &config, &e) != -EPERM)
			_exit(3);
		_exit(strstr(e.text, "run as root") || !strstr(e.text, "root needs CAP_BPF"));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void check_does_not_send_to_check(void **state)
{
	char note[256];

	probe_check_note(note, sizeof(note), "cannot load: No; 'millrace check' tells what lacks");
	assert_ptr_equal(strstr(note, "cannot load: No; a required row that fails"), note);
	assert_null(strstr(note, "millrace check"));
	probe_check_note(note, sizeof(note), "cannot find cgroup v2; mount it");
	assert_string_equal(note, "cannot find cgroup v2; mount it");
	probe_check_note(note, sizeof(note), "");
	assert_string_equal(note, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(closes_that_meet_the_sweep_count_once, cgroup_enter,
						cgroup_leave),
		cmocka_unit_test(a_hook_that_is_not_there_is_named),
		cmocka_unit_test(check_does_not_send_to_check),
		cmocka_unit_test(root_is_not_told_to_be_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
