/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error for people: one line that says what was attempted, what went wrong and what to do now.
 * It travels beside the usual 0 or -errno and is written only when something failed.
 */
#pragma once

#include <stdarg.h>

struct error {
	char text[512];
};

/* Writes the line (cut to fit) and returns code, so that a caller can `return error_set(e, -EPERM, …)`.
 * Accepts e == NULL. */
__attribute__((format(printf, 3, 4))) int error_set(struct error *e, int code, const char *format, ...);
