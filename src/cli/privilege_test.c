/* SPDX-License-Identifier: Apache-2.0 */
/* After privilege_drop() /proc/self/status shows nothing left, and nothing can be had back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "privilege.h"

/* The first words behind "Name:" in /proc/self/status, tabs as blanks. */
static int status_is(const char *name, const char *expected)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	int same = 0;

	while (status && fgets(line, sizeof(line), status)) {
		char *value = line + strlen(name);

		if (strncmp(line, name, strlen(name)) || *value != ':')
			continue;
		value += 1 + strspn(value + 1, "\t ");
		value[strcspn(value, "\n")] = '\0';
		for (char *tab = value; (tab = strchr(tab, '\t'));)
			*tab = ' ';
		same = !strncmp(value, expected, strlen(expected)) &&
		       (*expected || !value[strspn(value, " ")]);
		if (!same)
			fprintf(stderr, "%s: \"%s\", expected \"%s\"\n", name, value, expected);
	}
	if (status)
		fclose(status);
	return same;
}

/* In a child: a test program must stay what it is. Returns which check failed, 0: none. */
static int check_dropped(void)
{
	static const char *const empty[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
	struct error error = {0};

	if (privilege_drop(&error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	for (int i = 0; i < 5; i++)
		if (!status_is(empty[i], "0000000000000000"))
			return 10 + i;
	if (!status_is("NoNewPrivs", "1") || !status_is("Groups", ""))
		return 2;
	if (status_is("Uid", "0 ") || status_is("Gid", "0 "))
		return 3;
	if (seteuid(0) == 0 || setuid(0) == 0 || access("/proc/1/environ", R_OK) == 0)
		return 4;
	return 0;
}

static void leaves_nothing(void **state)
{
	int status;
	pid_t child;

	if (geteuid() != 0) {
		print_message("skip: giving up root needs root\n");
		skip();
	}
	child = fork();
	if (child == 0)
		_exit(check_dropped());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void says_why_it_cannot(void **state)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct error error = {0};
		int r;

		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(1);
		r = privilege_drop(&error);
		_exit(r < 0 && strstr(error.text, "cannot give up root: ") ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_nothing),
		cmocka_unit_test(says_why_it_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
