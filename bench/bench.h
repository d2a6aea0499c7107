/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What millrace costs its host: one line of the table at a time, each side by side in one run.
 *
 * A line is a function that makes its own load, observes it with a `millrace up` of its own, and
 * writes rows. Load runs on loopback only, bounded in time, in cgroups of the benchmark; what
 * cannot be measured ends the line with one message (bench_die), never with a guess.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct bench {
	const char *millrace;  /* the binary to measure */
	const char *directory; /* where configurations, logs and rows go */
	char cgroups[256];     /* where cgroup v2 is mounted */
	const char *with;      /* one more option for each `millrace up`; NULL: none */
	bool is_short;
};

/* More of something in the full form than in the short one. */
static inline unsigned int bench_amount(const struct bench *b, unsigned int full,
					unsigned int brief)
{
	return b->is_short ? brief : full;
}

/* "cannot ATTEMPTED: WHY", then the end; what was started ends too. */
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A file of this run's directory; static storage, four calls long. */
const char *bench_file(const struct bench *b, const char *name);

/* Whether this build's server keeps data in a directory. */
bool bench_keeps_data(const struct bench *b);

void line_keepalive(const struct bench *b);
void line_throughput(const struct bench *b);
void line_connection(const struct bench *b);
void line_datagram(const struct bench *b);
void line_datagram_guest(const struct bench *b); /* run inside a guest, by in-guest */
void line_profile(const struct bench *b);
void line_mix(const struct bench *b);
void line_sweep(const struct bench *b);
void line_memory(const struct bench *b);
void line_fresh(const struct bench *b);
void line_beside(const struct bench *b);
void line_cluster(const struct bench *b);
void line_telemetry(const struct bench *b);
void line_wire(const struct bench *b);
void line_guest(const struct bench *b); /* run inside a guest, by line_beside.sh */
