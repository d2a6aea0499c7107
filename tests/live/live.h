/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A live test: what it may use, and how it says what it compared.
 *
 * A test is a function that returns a verdict. What it holds true goes through the check functions,
 * which print one line each, good or bad, with the numbers; a failed check makes the test fail.
 * Everything a test starts ends with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net.h"

enum verdict { PASS, FAIL, SKIP };

struct live {
	const char *millrace; /* the binary */
	bool is_short;
	double scale; /* of counts; below 1 on slow machines */
	uint64_t seed;
	unsigned int seconds; /* --seconds: how long the churn takes; 0: as it is meant */
	const char *shape;    /* --shape: only this one in the mix */
	bool whole_machine;   /* --whole-machine: no --cgroup, everybody's traffic is seen */
	struct net net;
	char directory[64]; /* for files, removed at the end */
	int failures;       /* of the test that runs */
	char reason[256];   /* why it is skipped */
};

struct test {
	const char *name;
	const char *about;
	enum verdict (*run)(struct live *l);
	bool needs_millrace;
};

extern const struct test live_tests[];
extern const unsigned int live_test_count;

/* Tell what happened; indented under the test's name. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* true: held. Prints "ok" or "NOT" with the text. */
bool check(struct live *l, bool held, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool check_equal(struct live *l, const char *what, uint64_t expected, uint64_t got);
enum verdict skip(struct live *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum verdict verdict(const struct live *l); /* FAIL if a check failed */

/* A count in full, scaled down but never below least. */
unsigned int scaled(const struct live *l, unsigned int full, unsigned int least);
/* A limit in ms, stretched on slow machines. */
unsigned int patience(const struct live *l, unsigned int ms);
/* A file in the test's directory. Static storage, eight at a time. */
const char *live_file(const struct live *l, const char *name);

enum verdict test_load(struct live *l);
enum verdict test_exact(struct live *l);
enum verdict test_udp(struct live *l);
enum verdict test_udp_packets(struct live *l);
enum verdict test_storm(struct live *l);
enum verdict test_storm_slots(struct live *l);
enum verdict test_storm_flows(struct live *l);
enum verdict test_failures(struct live *l);
enum verdict test_pending(struct live *l);
enum verdict test_drops(struct live *l);
enum verdict test_netem(struct live *l);
enum verdict test_nat(struct live *l);
enum verdict test_churn(struct live *l);
enum verdict test_follow(struct live *l);
enum verdict test_fresh(struct live *l);
enum verdict test_nginx(struct live *l);
enum verdict test_redis(struct live *l);
enum verdict test_postgres(struct live *l);
enum verdict test_iperf(struct live *l);
enum verdict test_adopt(struct live *l);
enum verdict test_input(struct live *l);
enum verdict test_events(struct live *l);
enum verdict test_dns(struct live *l);
enum verdict test_top(struct live *l);
enum verdict test_privileges(struct live *l);
enum verdict test_three(struct live *l);
enum verdict test_outage(struct live *l);
enum verdict test_clocks(struct live *l);
enum verdict test_silent(struct live *l);
enum verdict test_upgrade(struct live *l);
enum verdict test_hostile(struct live *l);
enum verdict test_carrier(struct live *l);
enum verdict test_scopes(struct live *l);
enum verdict test_overlap(struct live *l);
