/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's thread: when a window ends, what is asked from other threads, and what it all costs.
 * The work itself is collector.c's.
 *
 *     timer: a window ends ─► idle: slices of the sweep ─► end_window ─► timer
 *     wake: from any thread ─► answer requests · end the window now · stop
 *
 * Invariant: other threads touch only the mailbox.
 */
#include "agent/agent.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <uv.h>

#include "agent/budget.h"
#include "agent/cgroup_mount.h"
#include "agent/collector.h"
#include "agent/mailbox.h"
#include "agent/node.h"
#include "agent/translator.h"

#define SECOND_NS      1000000000ull
#define BUDGET_PERCENT 0.1

struct agent {
	struct agent_config config;
	struct probe *probe;
	struct collector *collector;
	struct translator *translator; /* NULL: this kernel tells of no translations */
	struct budget budget;
	unsigned int cpus; /* of the machine, when it started */

	uv_loop_t loop;
	uv_timer_t timer; /* the window's end */
	uv_idle_t slices; /* runs while a sweep does */
	uv_async_t wake;
	uv_poll_t rings;    /* readable when much waits in the probe's rings */
	uv_poll_t pressure; /* the flow map fills with rows that are one connection each */
	bool has_rings, has_pressure;
	pthread_t thread;
	bool has_loop, running;

	uint64_t due_ns;                  /* when this window is to end */
	uint64_t window_start_ns;         /* when the last batch ended */
	uint64_t ended_ns, cpu_before_ns; /* as of the last window's end */
	struct probe_stats stats_before;
	bool everything; /* the running sweep was asked for: of all sockets, and not by the clock */

	struct mailbox mailbox;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* What it costs is told with the rest, but is no window's: readers must not make windows longer. */
static void answer_requests(struct agent *a, const struct mail *mail)
{
	uint64_t begin_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	for (size_t i = 0; i < mail->request_count; i++) {
		struct wire_answer *answer = collector_answer(a->collector, &mail->requests[i],
							      clock_ns(CLOCK_MONOTONIC));

		if (answer)
			a->config.answer(a->config.userdata, answer);
	}
	a->cpu_before_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
}

/* A window */

static void on_window_end(uv_timer_t *timer);

/* Windows end on a grid, however long their work takes, unless it takes longer than they are. */
static void schedule(struct agent *a)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC), left_ns;

	a->due_ns += a->budget.plan.window_ns;
	if (a->due_ns < now_ns)
		a->due_ns = now_ns;
	left_ns = a->due_ns - now_ns;
	uv_update_time(&a->loop);
	uv_timer_start(&a->timer, on_window_end, (left_ns + 500000) / 1000000, 0);
}

static void send_batch(struct agent *a, uint64_t end_ns)
{
	const struct collector_status status = {
		.window_start_ns = a->window_start_ns,
		.window_end_ns = end_ns,
		.now_ns = clock_ns(CLOCK_MONOTONIC),
		.agent_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID),
		.late_windows = a->budget.late_windows,
		.nat_overruns = translator_overruns(a->translator),
		.window_wanted_ns = a->budget.wanted_ns,
		.window_ns = a->budget.plan.window_ns,
		.cpu_budget_percent = a->config.cpu_budget_percent,
		.cpus = a->cpus,
	};
	struct wire_batch *batch = collector_take(a->collector, &status);

	if (!batch)
		return;
	a->config.send(a->config.userdata, batch);
	a->window_start_ns = end_ns;
}

/* A window that was ended on request costs more and tells nothing about the others. */
static void account(struct agent *a, uint64_t end_ns)
{
	uint64_t cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct probe_stats stats;
	struct budget_cost cost;

	collector_stats(a->collector, &stats);
	cost = (struct budget_cost){
		.window_ns = end_ns - a->ended_ns,
		.cpu_ns = cpu_ns - a->cpu_before_ns,
		.sweep_ns = stats.sweep_ns - a->stats_before.sweep_ns,
		.visits = (uint32_t)(stats.swept - a->stats_before.swept),
		.sockets = stats.sockets,
	};
	if (!a->everything)
		budget_account(&a->budget, &cost);
	a->ended_ns = end_ns;
	a->cpu_before_ns = cpu_ns;
	a->stats_before = stats;
}

static void end_window(struct agent *a)
{
	uint64_t end_ns;

	collector_collect(a->collector, clock_ns(CLOCK_MONOTONIC));
	end_ns = clock_ns(CLOCK_MONOTONIC);
	send_batch(a, end_ns);
	account(a, end_ns);
	if (a->everything)
		a->due_ns = end_ns;
	a->everything = false;
}

static bool sweep_some(struct agent *a)
{
	const struct sweep_how how = {.backoff_max = a->budget.plan.backoff_max,
				      .visits_max = a->budget.plan.visits_max,
				      .everything = a->everything};
	bool done = true;

	return collector_sweep(a->collector, &how, &done) < 0 || done;
}

static void on_slice(uv_idle_t *slices)
{
	struct agent *a = slices->data;

	if (!sweep_some(a))
		return;
	uv_idle_stop(slices);
	end_window(a);
	schedule(a);
}

static void on_window_end(uv_timer_t *timer)
{
	struct agent *a = timer->data;

	uv_timer_stop(timer);
	uv_idle_start(&a->slices, on_slice);
}

/* The end */

/* Two swaps: what the programs wrote into the one map while the other was drained comes along. */
static void send_last(struct agent *a)
{
	a->everything = true;
	while (!sweep_some(a))
		;
	collector_collect(a->collector, clock_ns(CLOCK_MONOTONIC));
	collector_collect(a->collector, clock_ns(CLOCK_MONOTONIC));
	collector_finish(a->collector);
	send_batch(a, clock_ns(CLOCK_MONOTONIC));
}

static void close_handles(struct agent *a)
{
	translator_close(a->translator);
	if (a->has_rings)
		uv_close((uv_handle_t *)&a->rings, NULL);
	if (a->has_pressure)
		uv_close((uv_handle_t *)&a->pressure, NULL);
	uv_close((uv_handle_t *)&a->timer, NULL);
	uv_close((uv_handle_t *)&a->slices, NULL);
	uv_close((uv_handle_t *)&a->wake, NULL);
}

static void on_wake(uv_async_t *wake)
{
	struct agent *a = wake->data;
	struct mail mail = mailbox_take(&a->mailbox);

	answer_requests(a, &mail);
	if (mail.stop) {
		send_last(a);
		close_handles(a);
	} else if (mail.sweep_now) {
		a->everything = true;
		on_window_end(&a->timer);
	}
}

static void *run(void *userdata)
{
	struct agent *a = userdata;

	a->cpu_before_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	collector_stats(a->collector, &a->stats_before);
	a->due_ns = a->ended_ns = clock_ns(CLOCK_MONOTONIC);
	a->everything = true; /* the first window ends at once: what was open before is told now */
	on_window_end(&a->timer);
	uv_run(&a->loop, UV_RUN_DEFAULT);
	return NULL;
}

/* Many names are being asked for: the ring must not fill before the window ends. */
static void on_rings_waiting(uv_poll_t *poll, int status, int events)
{
	struct agent *a = poll->data;

	collector_read_rings(a->collector);
}

/* The window ends before its time, without a sweep: what lives may wait. One that ends anyway is
 * let be. */
static void on_pressure(uv_poll_t *poll, int status, int events)
{
	struct agent *a = poll->data;

	probe_pressure_clear(a->probe);
	if (uv_is_active((uv_handle_t *)&a->slices))
		return;
	uv_timer_stop(&a->timer);
	a->due_ns = clock_ns(CLOCK_MONOTONIC);
	end_window(a);
	schedule(a);
}

/* Setting up */

static int open_loop(struct agent *a)
{
	if (uv_loop_init(&a->loop) < 0)
		return -EMFILE;
	if (uv_async_init(&a->loop, &a->wake, on_wake) < 0) {
		uv_loop_close(&a->loop);
		return -EMFILE;
	}
	uv_timer_init(&a->loop, &a->timer);
	uv_idle_init(&a->loop, &a->slices);
	a->timer.data = a->slices.data = a->wake.data = a;
	a->has_loop = true;
	return 0;
}

static void set_defaults(struct agent_config *config)
{
	if (!config->window_ns)
		config->window_ns = SECOND_NS;
	if (config->cpu_budget_percent <= 0)
		config->cpu_budget_percent = BUDGET_PERCENT;
}

/* Without it the rings are emptied once a window, which is enough for most. */
static void watch_rings(struct agent *a)
{
	int fd = probe_rings_fd(a->probe);

	if (fd < 0 || uv_poll_init(&a->loop, &a->rings, fd) < 0)
		return;
	a->rings.data = a;
	a->has_rings = true;
	uv_poll_start(&a->rings, UV_READABLE, on_rings_waiting);
}

/* Without it rows are coarse when the map is full, and counted. */
static void watch_pressure(struct agent *a)
{
	int fd = probe_pressure_fd(a->probe);

	if (fd < 0 || uv_poll_init(&a->loop, &a->pressure, fd) < 0)
		return;
	a->pressure.data = a;
	a->has_pressure = true;
	uv_poll_start(&a->pressure, UV_READABLE, on_pressure);
}

static int open_parts(struct agent *a, struct error *ret_error)
{
	struct probe_config probe = {.cgroup = a->config.cgroup,
				     .slots_max = a->config.slots_max,
				     .udp = a->config.udp,
				     .flows_max = a->config.flows_max};
	char cgroup_root[PATH_MAX];
	bool has_cgroups = cgroup_mount(cgroup_root, sizeof(cgroup_root)) == 0;
	struct collector_config collector = {.version = a->config.version,
					     .node = a->config.node,
					     .observed = a->config.cgroup,
					     .cgroup_root = has_cgroups ? cgroup_root : NULL,
					     .started_boot_ns = clock_ns(CLOCK_BOOTTIME),
					     .read_news = translator_read};
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	int r = open_loop(a);

	if (r < 0)
		return error_set(ret_error, r,
				 "cannot start the agent's event loop: %s; raise the limit of "
				 "open files (ulimit -n)",
				 strerror(-r));
	if (translator_open(&a->translator) < 0)
		a->translator = NULL; /* addresses stay as they were asked for */
	translator_configure(a->translator, &probe);
	collector.nat = translator_nat(a->translator);
	collector.userdata = a->translator;
	r = probe_open(&a->probe, &probe, ret_error);
	if (r == 0 && a->translator && translator_start(a->translator, &a->loop, a->probe) < 0)
		r = error_set(ret_error, -ENOMEM,
			      "cannot watch the connection tracking: out of memory; free some");
	if (r == 0)
		r = collector_new(&a->collector, a->probe, &collector, now_ns, ret_error);
	if (r < 0)
		return r;
	watch_rings(a);
	watch_pressure(a);
	/* Not when it started: until the programs are loaded nothing is seen, and that is a gap. */
	a->window_start_ns = clock_ns(CLOCK_MONOTONIC);
	collector_note_baselines(
		a->collector, a->window_start_ns); /* without it `verify` is off, the rest is not */
	return 0;
}

int agent_open(struct agent **ret, const struct agent_config *config, struct error *ret_error)
{
	struct agent *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return error_set(ret_error, -ENOMEM,
				 "cannot start the agent: out of memory; free some");
	a->config = *config;
	set_defaults(&a->config);
	mailbox_init(&a->mailbox);
	a->cpus = (unsigned int)get_nprocs();
	budget_init(&a->budget, a->config.window_ns, a->config.cpu_budget_percent, a->cpus);
	r = open_parts(a, ret_error);
	if (r < 0) {
		agent_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

void agent_set_place(struct agent *a, const char *zone, const char *region)
{
	node_set_place(collector_node(a->collector), zone, region);
}

const char *agent_node(const struct agent *a)
{
	return collector_node(a->collector)->name;
}

const char *agent_hooks(const struct agent *a)
{
	return probe_hooks(a->probe);
}

/* Signals are for the program's first thread. */
int agent_start(struct agent *a)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&a->thread, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return -r;
	pthread_setname_np(a->thread, "mr-agent");
	a->running = true;
	return 0;
}

void agent_request(struct agent *a, const struct wire_request *request)
{
	mailbox_request(&a->mailbox, request);
	uv_async_send(&a->wake);
}

void agent_sweep_now(struct agent *a)
{
	mailbox_sweep_now(&a->mailbox);
	uv_async_send(&a->wake);
}

static void stop_thread(struct agent *a)
{
	mailbox_stop(&a->mailbox);
	uv_async_send(&a->wake);
	pthread_join(a->thread, NULL);
}

struct agent *agent_free(struct agent *a)
{
	if (!a)
		return NULL;
	if (a->running) {
		stop_thread(a);
	} else if (a->has_loop) {
		close_handles(a);
		uv_run(&a->loop, UV_RUN_DEFAULT);
	}
	if (a->has_loop)
		uv_loop_close(&a->loop);
	collector_free(a->collector);
	probe_free(a->probe);
	translator_free(a->translator);
	mailbox_done(&a->mailbox);
	free(a);
	return NULL;
}
