/* SPDX-License-Identifier: Apache-2.0 */
/* See budget.h. */
#include "agent/budget.h"

#include <string.h>

#define OBSERVE_WINDOWS 4    /* looked at together, and one more for each that a backoff spans */
#define TOO_DEAR        1.10 /* of the budget: above, a step down … */
#define FAR_TOO_DEAR    2.00 /* … at once */
#define CHEAP           0.85 /* below, a step back */
#define AIM             0.95
#define STEP_MAX        2.0  /* a step changes nothing by more than this factor */
#define SWEEP_MATTERS   0.25 /* share of the cost from which saving on the sweep is tried first */
#define SLICES_MAX      16   /* every socket is seen within so many windows */
#define VISITS_MIN      64

static const struct budget_cost nothing;

void budget_init(struct budget *b, uint64_t wanted_ns, double percent_of_machine, unsigned int cpus)
{
	*b = (struct budget){.wanted_ns = wanted_ns, .allowed = percent_of_machine / 100 * cpus};
	b->plan = (struct budget_plan){
		.window_ns = wanted_ns, .backoff_max = 1, .visits_max = UINT32_MAX};
}

static double clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

static uint64_t window_limit(const struct budget *b)
{
	return b->wanted_ns > BUDGET_WINDOW_MAX_NS ? b->wanted_ns : BUDGET_WINDOW_MAX_NS;
}

static double visits_a_window(const struct budget *b)
{
	return (double)b->sum.visits / b->windows;
}

static uint32_t visits_least(const struct budget *b)
{
	uint32_t sliced = b->sum.sockets / SLICES_MAX;

	return sliced > VISITS_MIN ? sliced : VISITS_MIN;
}

/* CPU time that the windows looked at may have cost together. */
static double allowed_ns(const struct budget *b)
{
	return (double)b->sum.window_ns * b->allowed;
}

/* By what factor the sweep must change for the whole to meet the aim. */
static double sweep_factor(const struct budget *b)
{
	double sweep = (double)b->sum.sweep_ns;
	double spare = allowed_ns(b) * AIM - (double)b->sum.cpu_ns;

	return clamp((sweep + spare) / sweep, 1 / STEP_MAX, STEP_MAX);
}

static bool save_on_sweep(struct budget *b)
{
	uint32_t least = visits_least(b);
	double visits;

	if ((double)b->sum.sweep_ns < SWEEP_MATTERS * (double)b->sum.cpu_ns)
		return false;
	if (b->plan.backoff_max < BUDGET_BACKOFF_MAX) {
		b->plan.backoff_max *= 2;
		return true;
	}
	visits = visits_a_window(b) * sweep_factor(b);
	if (b->plan.visits_max <= least || visits_a_window(b) <= least)
		return false;
	b->plan.visits_max = visits > least ? (uint32_t)visits : least;
	return true;
}

static void save(struct budget *b, double load)
{
	if (save_on_sweep(b))
		return;
	b->plan.window_ns =
		(uint64_t)clamp((double)b->plan.window_ns * clamp(load / AIM, 1, STEP_MAX),
				(double)b->wanted_ns, (double)window_limit(b));
}

static void grow_visits(struct budget *b)
{
	double visits = b->plan.visits_max * (b->sum.sweep_ns ? sweep_factor(b) : STEP_MAX);

	b->plan.visits_max = visits >= b->sum.sockets ? UINT32_MAX : (uint32_t)visits;
}

/* Half the backoff visits idle sockets twice as often: the sweep at most doubles. */
static void spend(struct budget *b, double load)
{
	if (b->plan.window_ns > b->wanted_ns)
		b->plan.window_ns = (uint64_t)clamp((double)b->plan.window_ns *
							    clamp(load / AIM, 1 / STEP_MAX, 1),
						    (double)b->wanted_ns, (double)window_limit(b));
	else if (b->plan.visits_max != UINT32_MAX)
		grow_visits(b);
	else if (b->plan.backoff_max > 1 &&
		 (double)(b->sum.cpu_ns + b->sum.sweep_ns) < AIM * allowed_ns(b))
		b->plan.backoff_max /= 2;
}

static void add(struct budget *b, const struct budget_cost *cost)
{
	b->sum.window_ns += cost->window_ns;
	b->sum.cpu_ns += cost->cpu_ns;
	b->sum.sweep_ns += cost->sweep_ns;
	b->sum.visits += cost->visits;
	b->sum.sockets = cost->sockets;
	b->windows++;
	if (cost->window_ns > b->wanted_ns + b->wanted_ns / 5)
		b->late_windows++;
}

void budget_account(struct budget *b, const struct budget_cost *cost)
{
	double load;

	add(b, cost);
	load = (double)b->sum.cpu_ns / allowed_ns(b);
	if (b->windows < OBSERVE_WINDOWS + b->plan.backoff_max &&
	    (b->windows < OBSERVE_WINDOWS || load < FAR_TOO_DEAR))
		return;
	if (load > TOO_DEAR)
		save(b, load);
	else if (load < CHEAP)
		spend(b, load);
	b->sum = nothing;
	b->windows = 0;
}
