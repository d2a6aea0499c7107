/* SPDX-License-Identifier: Apache-2.0 */
/* Live sockets with what ss -ti shows. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "table.h"

/* filtered and limit (0: the server's own) are what was asked for. */
int connections_write(const json_t *json, bool filtered, uint32_t limit,
		      const struct table_style *style, FILE *out);
