/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times and spans as people and scripts write them, into nanoseconds.
 *
 *     time: "now" · "-5m" (ago; s, m, h, d) · "1700000000" · "1700000000.25" (unix seconds)
 *           "2024-05-01" · "2024-05-01T12:30" · "2024-05-01T12:30:15Z" · "…+02:00" (ISO 8601; UTC
 *           where no zone is said)
 *     span: "10s" · "5m" · "2h" · "1d" · "10" (seconds)
 *
 * No locale, no floating point, no surprises: what is not exactly one of these is -EINVAL, what is
 * too large for 2^63 ns is -ERANGE.
 */
#pragma once

#include <stdint.h>

#define WHEN_TIME_EXPECTED "now, -5m (s, m, h or d ago), 2024-05-01T12:30 (UTC) or unix seconds"
#define WHEN_SPAN_EXPECTED "a span such as 10s, 5m, 2h or 1d"

int when_parse(const char *text, uint64_t now_ns, uint64_t *ret_ns); /* before 1970: 0 */
int when_parse_span(const char *text, uint64_t *ret_ns);
