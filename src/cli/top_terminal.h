/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal that top draws on; the only user of ncurses.
 *
 * It gives the terminal back as it was, however it ends. Colour is used where the terminal has it
 * and NO_COLOR is not set; nothing is told by colour alone.
 */
#pragma once

#include "base/error.h"
#include "top_view.h"

struct top_terminal;

/* -ENOTTY, -ENOTSUP: no terminal that can be drawn on. */
int top_terminal_open(struct top_terminal **ret, struct error *ret_error);
struct top_terminal *top_terminal_close(struct top_terminal *t); /* always NULL; accepts NULL */

void top_terminal_draw(struct top_terminal *t, struct top_view *v, const struct top_moment *m);

/* The next key that was typed; -1: none waits. A change of size is seen by the next drawing. */
int top_terminal_key(struct top_terminal *t);
