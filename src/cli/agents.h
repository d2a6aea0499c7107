/* SPDX-License-Identifier: Apache-2.0 */
/* What millrace itself does, costs and loses. */
#pragma once

#include <jansson.h>
#include <stdio.h>

int agents_write(const json_t *json, FILE *out); /* 0, -EPROTO */
