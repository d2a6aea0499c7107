/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"
#include "load.h"
#include "load_report.h"
#include "run.h"

/* The mix, with swaps 20 times a second while it runs. */
enum verdict test_exact(struct live *l)
{
	struct load load = {.net = &l->net, .seed = l->seed, .scale = l->scale, .only = l->shape};
	struct millrace m;
	uint64_t start;

	if (!check(l, load_start(&load) == 0, "the load starts"))
		goto out;
	if (!millrace_start(&m, l,
			    (const char *const[]){"--window", "50ms", "--cpu-budget", "100", NULL}))
		goto out;
	start = clock_ns();
	load_go(&load);
	load_wait(&load, patience(l, 180000));
	say("the load ran %.1f s", (double)(clock_ns() - start) / 1e9);
	load_check(l, &load);
	load_compare(l, &load, &m);
	check_equal(l, "exit status after SIGTERM", 0, (uint64_t)millrace_stop(&m, 15));
out:
	load_free(&load);
	return verdict(l);
}
