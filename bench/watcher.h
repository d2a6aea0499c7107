/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another tool that watches the same traffic: how it is started, what it used, and what it saw.
 *
 * A connection counts as seen when the tool showed it at all; its bytes are the most that the tool
 * ever said of each direction (of tools that repeat sums) or the sum of what it said (of those that
 * report differences). Who counts packets is held against the bytes of packets, who counts sockets
 * against payload.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "known.h"

/* By the client's port: what was seen. */
struct sight {
	bool seen[65536];
	uint64_t bytes[65536][2]; /* to server, to client */
};

enum watcher_bytes { PAYLOAD, PACKETS };

struct watcher {
	const char *name;    /* as in the table */
	const char *command; /* for sh; %s: the directory */
	const char *finish;  /* for sh, before it is ended; NULL: nothing */
	const char *output;  /* file there */
	enum watcher_bytes bytes;
	void (*read)(struct sight *s, FILE *output);
	struct place place;
	pid_t pid;
	uint64_t cpu_ns;
};

/* In the traffic's namespace, in a cgroup of its own. */
void watcher_start(struct watcher *w, const struct bench *b, const struct known *k);
/* programs: it has some in the kernel, whose run time counts too. */
void watcher_stop(struct watcher *w, const struct bench *b, const struct known *k, bool programs);
/* Its row: CPU over so many seconds, shares of connections and bytes. */
void watcher_report(struct watcher *w, const struct bench *b, const struct known *k, double seconds,
		    uint64_t wire_bytes, const char *remark);

/* Notes that one direction of a connection was seen; sum: bytes are a difference. Ports that are
 * not the traffic's are ignored. */
void sight_note(struct sight *s, unsigned int from, unsigned int to, uint64_t bytes, bool sum);

void watcher_read_ss(struct sight *s, FILE *output);
void watcher_read_conntrack(struct sight *s, FILE *output);
void watcher_read_pmacct(struct sight *s, FILE *output);
void watcher_read_netflow(struct sight *s, FILE *output);
void watcher_read_tcptop(struct sight *s, FILE *output);
void watcher_read_tcplife(struct sight *s, FILE *output);
