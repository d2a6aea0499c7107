/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel record's table of counters (bpf/counters.h), with the names for people. */
#pragma once

#include "../../bpf/counters.h"

/* Name of a counter as the API prints it, "bytes_to_server". */
const char *wire_counter_name(enum mr_counter counter);
