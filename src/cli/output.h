/* SPDX-License-Identifier: Apache-2.0 */
/* What standard output is, and what to say when an answer could not be shown. */
#pragma once

#include "base/error.h"
#include "table.h"

struct table_style output_style(void); /* colour and width only on a terminal; NO_COLOR is kept */

/* Turns 0, -ENOMEM and -EPROTO of a writer into itself and a line. */
int output_result(int r, const char *server, struct error *ret_error);
