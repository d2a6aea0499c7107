/* SPDX-License-Identifier: Apache-2.0 */
/* `millrace check`: what this kernel gives, found by trying; exits 1 if something required is not
 * there. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/probe.h"
#include "command.h"
#include "human.h"
#include "output.h"
#include "privilege.h"
#include "table.h"

#define FEATURES_MAX 64

static const struct table_column columns[] = {
	{.title = "feature"},
	{.title = "works"},
	{.title = "serves", .shrink_min = 20},
	{.title = "note", .shrink_min = 20},
};

static int write_text(const struct probe_feature *features, size_t count)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(*columns));
	struct table_style style = output_style();
	int r = t ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && t; i++) {
		const struct probe_feature *f = &features[i];

		table_cell(t, f->name);
		table_cell_coloured(t,
				    f->works      ? TABLE_GREEN
				    : f->required ? TABLE_RED
						  : TABLE_YELLOW,
				    f->works      ? "yes"
				    : f->required ? "NO"
						  : "no");
		table_cell(t, f->serves);
		table_cell(t, f->note);
	}
	if (!r)
		r = table_print(t, &style, stdout);
	table_free(t);
	return r;
}

static int write_json(const struct probe_feature *features, size_t count, bool all)
{
	json_t *list = json_array(), *answer;
	struct utsname system;
	int r;

	uname(&system);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:b, s:b, s:s}", "name",
						features[i].name, "serves", features[i].serves,
						"required", features[i].required, "works",
						features[i].works, "note", features[i].note));
	answer = json_pack("{s:s, s:b, s:o}", "kernel", system.release, "usable", all, "features",
			   list);
	r = answer && !json_dumpf(answer, stdout, JSON_INDENT(2)) ? 0 : -ENOMEM;
	fputc('\n', stdout);
	json_decref(answer);
	return r;
}

static const struct probe_feature *first_missing(const struct probe_feature *features, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (features[i].required && !features[i].works)
			return &features[i];
	return NULL;
}

static int show(const struct arguments *a, const struct probe_feature *features, size_t count,
		struct error *ret_error)
{
	const struct probe_feature *missing = first_missing(features, count);
	int r = a->json ? write_json(features, count, !missing) : write_text(features, count);

	if (r < 0) {
		error_set(ret_error, r, "cannot show what was found: out of memory; free some");
		return EXIT_FAILED;
	}
	if (missing) {
		error_set(ret_error, -ENOTSUP, "cannot run on this kernel: %s is missing: %s",
			  missing->name, missing->note);
		return EXIT_FAILED;
	}
	if (!a->json)
		puts("all that is required works");
	return EXIT_DONE;
}

int check_run(const struct arguments *a, struct error *ret_error)
{
	struct probe_feature *features;
	size_t count = 0;
	int r;

	if (!privilege_can_load()) {
		error_set(ret_error, -EPERM,
			  "cannot try the kernel's hooks: that needs root; run it with sudo");
		return EXIT_FAILED;
	}
	features = calloc(FEATURES_MAX, sizeof(*features));
	r = features ? probe_check(features, FEATURES_MAX, &count) : -ENOMEM;
	if (r < 0) {
		error_set(ret_error, r, "cannot try the kernel's hooks: %s; see dmesg",
			  strerror(-r));
		free(features);
		return EXIT_FAILED;
	}
	r = show(a, features, count, ret_error);
	free(features);
	return r;
}
