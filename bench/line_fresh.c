/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From connect() to the answer: each sample connects to a port of its own, at a random phase of the
 * agent's window, and /api/v1/graph is asked every 10 ms until that port is in it.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "cli/field.h"
#include "observer.h"
#include "report.h"
#include "statistics.h"

#define PORT        26000
#define SAMPLES_MAX 200
#define ALL_S       120

/* When each client called connect(); shared with the process that does. */
struct times {
	uint64_t connect_ns[SAMPLES_MAX];
};

static struct sockaddr_in address(unsigned int sample)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)(PORT + sample)),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void listen_on(unsigned int sample)
{
	struct sockaddr_in a = address(sample);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8))
		bench_die("listen on port %u: %m", PORT + sample);
}

/* One process for both ends: at random distances, so that phases differ. */
_Noreturn static void connect_all(const struct place *p, struct times *t, unsigned int samples)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/cgroup.procs", p->path);
	if (file_write(path, "0"))
		bench_die("join %s", p->path);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0; i < samples; i++)
		listen_on(i);
	for (unsigned int i = 0; i < samples; i++) {
		struct sockaddr_in a = address(i);
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		pause_us(100000 + (unsigned int)(random() % 150000));
		__atomic_store_n(&t->connect_ns[i], clock_ns(), __ATOMIC_RELEASE);
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
			bench_die("connect to port %u: %m", PORT + i);
	}
	for (;;)
		pause();
}

/* How long it took for those whose port is in the graph for the first time. */
static unsigned int look(const struct observer *o, struct times *t, double *ret_s,
			 unsigned int samples)
{
	struct client_answer graph;
	unsigned int found = 0;
	json_t *edge;
	size_t i;

	observer_ask(o, "/api/v1/graph", &graph);
	json_array_foreach (field_array(graph.json, "edges"), i, edge) {
		unsigned int n = (unsigned int)field_port(edge, "port") - PORT;
		uint64_t began =
			n < samples ? __atomic_load_n(&t->connect_ns[n], __ATOMIC_ACQUIRE) : 0;

		if (!began || ret_s[n] > 0)
			continue;
		ret_s[n] = (double)(clock_ns() - began) / 1e9;
		found++;
	}
	client_answer_done(&graph);
	return found;
}

void line_fresh(const struct bench *b)
{
	static const struct promise promise = {"p99 ≤ 2 s (stretch 1 s)", 2, 1, false};
	unsigned int samples = bench_amount(b, SAMPLES_MAX, 40), found = 0;
	uint64_t end = clock_ns() + ALL_S * 1000000000ull;
	static double s[SAMPLES_MAX];
	struct observer o;
	struct times *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct place p;
	pid_t pid;

	place_make(&p, b, "fresh");
	observer_start(&o, b, &p, NULL);
	pid = fork();
	if (pid == 0)
		connect_all(&p, t, samples);
	while (found < samples && clock_ns() < end) {
		found += look(&o, t, s, samples);
		pause_us(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (found < samples)
		bench_die("find %u of %u connections in the graph within %d s", samples - found,
			  samples, ALL_S);
	report_row("from connect() to `/api/v1/graph`", &promise, stats_quantile(s, samples, 0.99),
		   "p50 %.2f s, p99 %.2f s, at most %.2f s, of %u", stats_median(s, samples),
		   stats_quantile(s, samples, 0.99), stats_quantile(s, samples, 1), samples);
	observer_stop(&o);
	munmap(t, sizeof(*t));
	place_remove(&p);
}
