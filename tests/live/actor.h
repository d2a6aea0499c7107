/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small processes with a name, a namespace and a place in the test's cgroup, that do one thing;
 * and real programs started in the same way.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "live.h"

/* 0 in the child, which ends with _exit(); its pid (or -errno) in the parent. */
pid_t actor_fork(const struct live *l, const char *name, bool at_client);

/* A program at the client or the server; its output goes to the log. */
pid_t actor_spawn(const struct live *l, bool at_client, unsigned int uid, const char *log,
		  const char *const argv[]);
int actor_run(const struct live *l, bool at_client, unsigned int uid, const char *const argv[],
	      char *out, size_t size, unsigned int timeout_ms);

/* For actors: a socket that has called connect(), without waiting; *ret_error is what came of it
 * at once. IPv4 only. */
int actor_connect(const char *address, uint16_t port, bool wait, int *ret_error);
int actor_listen(const char *address, uint16_t port);
/* Whether somebody accepts on this port at the server; for wait_until(). */
struct actor_port {
	const struct live *live;
	const char *address;
	uint16_t port;
};
bool actor_accepts(void *actor_port);
