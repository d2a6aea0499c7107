/* SPDX-License-Identifier: Apache-2.0 */
/* A server with a made-up agent: known batches in, so that answers can be compared exactly. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "server/client_for_test.h"
#include "server/server.h"

enum answering { /* what the made-up agent does when asked */
		 ANSWERS = 0,
		 SILENT,
};

struct server_fixture {
	struct server *server;
	struct server_config config;
	uint16_t port;
	uint64_t sequence;
	enum answering answering;
	uint32_t asked_max; /* connections_max of the last request */
	unsigned int sweeps;
};

int server_fixture_setup(void **state); /* for cmocka; *state is the fixture */
int server_fixture_setup_elsewhere(void **state); /* … without an agent in the process */
int server_fixture_teardown(void **state);

/*
 * Submits the next window of one second, which ends now. Each has, on loopback, both ends seen:
 * web (nginx.service) → redis-server:6379, 3 connections opened, 2 closed, 1000 bytes to the server
 * and 50,000 to the client; a process with a hostile name → 10.1.2.3:443, refused twice; a coarse
 * flow of 7 bytes.
 */
void server_fixture_submit(struct server_fixture *f);
/* That window, of a node called so, as an owned batch that is not submitted. */
struct wire_batch *server_fixture_batch(struct server_fixture *f, const char *node);
/* What such an agent answers: three live sockets. Owned. */
struct wire_answer *server_fixture_answer(uint64_t id);
/* … and waits until the API shows it. */
void server_fixture_submit_and_wait(struct server_fixture *f);

/* GET; asserts the status and that the body is JSON; returns it owned. */
json_t *server_fixture_get(struct server_fixture *f, const char *target, int status);
