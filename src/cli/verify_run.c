/* SPDX-License-Identifier: Apache-2.0 */
/* `millrace verify`: reads the kernel, asks the agent, reads the kernel again; up to five times,
 * since an event can be counted by the kernel before it is by us, or after. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "field.h"
#include "output.h"
#include "verify.h"

#define TRIES_MAX 5

struct verification {
	struct verify_row *rows;
	size_t count;
	int tries;
};

static int read_kernel(struct kernel_sums *ret, struct error *ret_error)
{
	int r = kernel_sums_read(ret);

	if (r < 0)
		return error_set(ret_error, r,
				 "cannot read /proc/net/snmp in the network namespaces: %s; run as "
				 "root on the machine that millrace watches",
				 strerror(-r));
	return 0;
}

/* Network namespaces have the same numbers on every machine: others' agents are left out. */
static int keep_this_machine(json_t *answer, struct error *ret_error)
{
	json_t *agents = json_object_get(answer, "agents");
	char boot_id[64] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	size_t i, all = json_array_size(agents);

	if (file && fgets(boot_id, sizeof(boot_id), file))
		boot_id[strcspn(boot_id, "\n")] = '\0';
	if (file)
		fclose(file);
	for (i = all; i > 0; i--)
		if (strcmp(field_text(json_array_get(agents, i - 1), "boot_id"), boot_id) != 0)
			json_array_remove(agents, i - 1);
	if (all && !json_array_size(agents))
		return error_set(ret_error, -ENOENT,
				 "cannot verify: no agent of this machine reports there; run it "
				 "where one does, or name another with --server");
	return 0;
}

static int compare_with(const struct arguments *a, const struct kernel_sums *before,
			struct verification *v, struct error *ret_error)
{
	struct client_parameter query[] = {{"sweep", "1"}, {.name = NULL}};
	struct kernel_sums after = {0};
	struct client_answer answer;
	int r = client_get(&a->server, "/api/v1/verify", query, &answer, ret_error);

	if (r < 0)
		return r;
	r = keep_this_machine(answer.json, ret_error);
	if (!r)
		r = read_kernel(&after, ret_error);
	if (!r)
		r = output_result(verify_compare(before, answer.json, &after, &v->rows, &v->count),
				  a->server.url, ret_error);
	kernel_sums_done(&after);
	client_answer_done(&answer);
	return r;
}

static int try_once(const struct arguments *a, struct verification *v, struct error *ret_error)
{
	struct kernel_sums before = {0};
	int r = read_kernel(&before, ret_error);

	free(v->rows);
	*v = (struct verification){.tries = v->tries + 1};
	if (!r)
		r = compare_with(a, &before, v, ret_error);
	kernel_sums_done(&before);
	return r;
}

static int show(const struct arguments *a, const struct verification *v, struct error *ret_error)
{
	int r = a->json ? verify_write_json(v->rows, v->count, v->tries, stdout)
			: verify_write(v->rows, v->count, stdout);

	if (r < 0)
		return output_result(r, a->server.url, ret_error);
	if (!verify_equal(v->rows, v->count))
		return error_set(ret_error, -EUCLEAN,
				 "cannot verify: our sums differ from the kernel's after %d tries; "
				 "millrace agents shows what was lost",
				 v->tries);
	if (!a->json)
		printf("no difference in %zu network namespace%s\n", v->count,
		       v->count == 1 ? "" : "s");
	return 0;
}

int verify_run(const struct arguments *a, struct error *ret_error)
{
	struct verification v = {0};
	int r;

	if (geteuid() != 0) {
		error_set(ret_error, -EPERM,
			  "cannot read the counters of every network namespace: that needs root; "
			  "run it with sudo");
		return EXIT_FAILED;
	}
	do
		r = try_once(a, &v, ret_error);
	while (!r && !verify_equal(v.rows, v.count) && v.tries < TRIES_MAX);
	if (!r)
		r = show(a, &v, ret_error);
	free(v.rows);
	return client_exit_code(r);
}
