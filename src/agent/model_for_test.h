/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server as an uplink should see one: it takes each sequence once, compares bytes, asks for
 * definitions when it has forgotten what handles mean, and keeps a book. Tests only; what goes
 * wrong fails the test.
 */
#pragma once

#include "wire/life_for_test.h"

struct model {
	struct book book;
	uint64_t sequence, defined_for; /* taken last; handles are known for this one */
	uint8_t *bytes;                 /* of the one taken last */
	size_t size;
	unsigned int taken, repeated, asked, defined;
	unsigned int refuse_one_in; /* 0: none */
	uint64_t refused_rows;
};

void model_init(struct model *m);
void model_done(struct model *m);
/* The status of HTTP that it answers. random: decides what is left to chance. */
int model_post(struct model *m, const uint8_t *data, size_t size, uint64_t random);
void model_restart(struct model *m); /* what it took it keeps, what handles mean it forgets */
