/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Causes of loss by the numbers that a file gave them. Their places in the program change when one
 * is added; the file knows them by name.
 */
#pragma once

#include <sqlite3.h>
#include <stdint.h>

#include "server/loss.h"
#include "server/store/block.h"

struct causes {
	uint16_t number[LOSS_COUNT];      /* of each cause of the program */
	uint16_t place[BLOCK_CAUSES_MAX]; /* one more than the cause's; 0: unknown here */
};

/* Gives numbers to those that have none yet; the caller is in a transaction. */
int causes_write(struct causes *c, sqlite3 *db);
/* Those that the file knows; the others have number 0, which no cause has. */
int causes_read(struct causes *c, sqlite3 *db);
