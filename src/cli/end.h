/* SPDX-License-Identifier: Apache-2.0 */
/* One end of a flow or a connection, as two cells: who it is, and its address. */
#pragma once

#include <jansson.h>

#include "table.h"

/* "web (python3)" and "10.0.0.1:80", with "/udp" or nothing behind it; port < 0: without. 0,
 * -ENOMEM.
 */
int end_cells(struct table *t, const json_t *end, int port, const char *suffix);
