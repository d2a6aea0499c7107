/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes names from a machine fit to be shown. A process may call itself anything; a terminal, a
 * page and a JSON reader must survive it, and the process must still be seen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies in to out (size bytes, at least 1, terminated): what is not UTF-8 and every control
 * character (C0, DEL, C1) becomes U+FFFD, what does not fit is cut between characters.
 * in may be NULL: "". Returns whether anything had to be changed.
 */
bool text_clean(char *out, size_t size, const char *in);
