/* SPDX-License-Identifier: Apache-2.0 */
/* Live sockets with what ss -ti shows. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "table.h"

int connections_write(const json_t *json, const struct table_style *style, FILE *out);
