/* SPDX-License-Identifier: Apache-2.0 */
/* The controller against simulated machines: where it settles, and that it stays there. */
#include "agent/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_NS 1000000000ull
#define MS_NS     1000000.0

/* A machine: what a window and a visit cost it, and how many sockets are idle. */
struct machine {
	double fixed_ns; /* a window, whatever happened in it */
	double rate_ns;  /* a second, however it is cut into windows */
	double visit_ns;
	uint32_t busy, idle; /* sockets */
	double noise;        /* ± share */
};

static double jitter(const struct machine *m)
{
	return 1 + m->noise * (2.0 * rand() / RAND_MAX - 1);
}

static struct budget_cost run_window(const struct machine *m, const struct budget_plan *plan)
{
	double due = m->busy + (double)m->idle / plan->backoff_max;
	double visits = due > plan->visits_max ? plan->visits_max : due;
	double sweep = visits * m->visit_ns * jitter(m);
	double rest = m->fixed_ns + m->rate_ns * (double)plan->window_ns / SECOND_NS;

	return (struct budget_cost){.window_ns = plan->window_ns,
				    .cpu_ns = (uint64_t)(sweep + rest * jitter(m)),
				    .sweep_ns = (uint64_t)sweep,
				    .visits = (uint32_t)visits,
				    .sockets = m->busy + m->idle};
}

static double load_of(const struct budget *b, const struct machine *m)
{
	struct machine quiet = *m;
	struct budget_cost cost;

	quiet.noise = 0;
	cost = run_window(&quiet, &b->plan);
	return (double)cost.cpu_ns / ((double)cost.window_ns * b->allowed);
}

static void run(struct budget *b, const struct machine *m, int windows)
{
	for (int i = 0; i < windows; i++) {
		struct budget_cost cost = run_window(m, &b->plan);

		budget_account(b, &cost);
	}
}

/* 0.1 % of two cores: 2 ms a second. */
static struct budget usual(void)
{
	struct budget b;

	budget_init(&b, SECOND_NS, 0.1, 2);
	return b;
}

static void leaves_a_cheap_agent_alone(void **state)
{
	const struct machine m = {
		.fixed_ns = 0.5 * MS_NS, .visit_ns = 500, .busy = 500, .idle = 500};
	struct budget b = usual();

	run(&b, &m, 200);
	assert_int_equal(b.plan.window_ns, SECOND_NS);
	assert_int_equal(b.plan.backoff_max, 1);
	assert_int_equal(b.plan.visits_max, UINT32_MAX);
	assert_int_equal(b.late_windows, 0);
}

static void backs_off_idle_sockets_first(void **state)
{
	const struct machine m = {
		.fixed_ns = 0.3 * MS_NS, .visit_ns = 500, .busy = 100, .idle = 10000};
	struct budget b = usual();

	run(&b, &m, 200);
	assert_int_equal(b.plan.window_ns, SECOND_NS);
	assert_int_equal(b.plan.visits_max, UINT32_MAX);
	assert_true(b.plan.backoff_max > 1);
	assert_true(load_of(&b, &m) <= 1.1);
}

static void then_slices(void **state)
{
	const struct machine m = {.fixed_ns = 0.3 * MS_NS, .visit_ns = 500, .busy = 10000};
	struct budget b = usual();

	run(&b, &m, 300);
	assert_int_equal(b.plan.window_ns, SECOND_NS);
	assert_int_equal(b.plan.backoff_max, BUDGET_BACKOFF_MAX);
	assert_true(b.plan.visits_max < 10000);
	assert_true(b.plan.visits_max >= 10000 / 16);
	assert_in_range(load_of(&b, &m) * 100, 80, 120);
}

static void then_stretches_the_window(void **state)
{
	const struct machine m = {.fixed_ns = 9 * MS_NS, .visit_ns = 500, .busy = 200};
	struct budget b = usual();

	run(&b, &m, 300);
	assert_in_range(b.plan.window_ns, 4 * SECOND_NS, 6 * SECOND_NS);
	assert_in_range(load_of(&b, &m) * 100, 80, 120);
	assert_true(b.late_windows > 200);
}

static void stretches_to_ten_seconds_at_the_most(void **state)
{
	const struct machine m = {.fixed_ns = 900 * MS_NS, .visit_ns = 500, .busy = 200};
	struct budget b = usual();

	run(&b, &m, 300);
	assert_int_equal(b.plan.window_ns, BUDGET_WINDOW_MAX_NS);
}

static void comes_all_the_way_back(void **state)
{
	const struct machine dear = {
		.fixed_ns = 5 * MS_NS, .visit_ns = 500, .busy = 50000, .idle = 50000};
	const struct machine cheap = {.fixed_ns = 0.2 * MS_NS, .visit_ns = 500, .busy = 200};
	struct budget b = usual();

	run(&b, &dear, 300);
	assert_true(b.plan.window_ns > 2 * SECOND_NS);
	assert_in_range(load_of(&b, &dear) * 100, 80, 120);
	run(&b, &cheap, 600);
	assert_int_equal(b.plan.window_ns, SECOND_NS);
	assert_int_equal(b.plan.visits_max, UINT32_MAX);
	assert_int_equal(b.plan.backoff_max, 1);
}

/* A machine that does nothing at all must not keep it from coming back. */
static void comes_back_when_nothing_costs(void **state)
{
	const struct machine dear = {
		.fixed_ns = 5 * MS_NS, .visit_ns = 500, .busy = 5000, .idle = 50000};
	const struct machine still = {.visit_ns = 500};
	struct budget b = usual();

	run(&b, &dear, 300);
	run(&b, &still, 600);
	assert_int_equal(b.plan.window_ns, SECOND_NS);
	assert_int_equal(b.plan.visits_max, UINT32_MAX);
	assert_int_equal(b.plan.backoff_max, 1);
}

/* Once settled, the plan moves little however the costs jump. */
static void does_not_swing(void **state)
{
	static const struct machine machines[] = {
		{.fixed_ns = 0.3 * MS_NS,
		 .visit_ns = 500,
		 .busy = 100,
		 .idle = 10000,
		 .noise = 0.1},
		{.fixed_ns = 0.3 * MS_NS,
		 .visit_ns = 500,
		 .busy = 3000,
		 .idle = 30000,
		 .noise = 0.1},
		{.fixed_ns = 0.3 * MS_NS, .visit_ns = 500, .busy = 10000, .noise = 0.1},
		{.fixed_ns = 9 * MS_NS, .visit_ns = 500, .busy = 200, .noise = 0.1},
		{.fixed_ns = 2.2 * MS_NS, .visit_ns = 500, .busy = 200, .noise = 0.1},
		{.fixed_ns = 3 * MS_NS,
		 .rate_ns = 1 * MS_NS,
		 .visit_ns = 500,
		 .busy = 2000,
		 .noise = 0.1},
	};

	srand(1);
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		const struct machine *m = &machines[i];
		struct budget b = usual();
		unsigned int turns = 0, backoff_turns = 0;
		double before, worst = 0;

		run(&b, m, 400);
		before = load_of(&b, m);
		for (int w = 0; w < 600; w++) {
			uint32_t backoff = b.plan.backoff_max;
			double load;

			run(&b, m, 1);
			load = load_of(&b, m);
			turns += load > before * 1.2 || load < before / 1.2;
			backoff_turns += backoff != b.plan.backoff_max;
			before = load;
			worst = load > worst ? load : worst;
		}
		print_message("machine %zu: load %.2f, worst %.2f, window %.2f s, backoff %u, "
			      "visits %u\n",
			      i, before, worst, (double)b.plan.window_ns / SECOND_NS,
			      b.plan.backoff_max, b.plan.visits_max);
		assert_int_equal(turns, 0);
		assert_int_equal(backoff_turns, 0);
		assert_true(worst <= 1.2);
	}
}

static void counts_late_windows(void **state)
{
	struct budget b = usual();
	struct budget_cost cost = {.window_ns = SECOND_NS + SECOND_NS / 5, .cpu_ns = 1};

	budget_account(&b, &cost);
	assert_int_equal(b.late_windows, 0);
	cost.window_ns++;
	budget_account(&b, &cost);
	assert_int_equal(b.late_windows, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_a_cheap_agent_alone),
		cmocka_unit_test(backs_off_idle_sockets_first),
		cmocka_unit_test(then_slices),
		cmocka_unit_test(then_stretches_the_window),
		cmocka_unit_test(stretches_to_ten_seconds_at_the_most),
		cmocka_unit_test(comes_all_the_way_back),
		cmocka_unit_test(comes_back_when_nothing_costs),
		cmocka_unit_test(does_not_swing),
		cmocka_unit_test(counts_late_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
