/* SPDX-License-Identifier: Apache-2.0 */
#include "top_terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

#define ESCAPE_DELAY_MS 25
#define REDRAW          12 /* Ctrl-L: whatever others wrote on the screen goes away */

struct top_terminal {
	SCREEN *screen;
	bool colour;
};

static int refuse(struct error *ret_error)
{
	const char *name = getenv("TERM");

	return error_set(ret_error, -ENOTSUP,
			 "cannot draw on this terminal (TERM=%.40s): it cannot move its cursor; "
			 "use millrace top --once, or watch -n 1 millrace top --once",
			 name && *name ? name : "(not set)");
}

static bool can_draw(void)
{
	int error;

	return setupterm(NULL, STDOUT_FILENO, &error) == OK && cursor_address && clear_screen &&
	       strcmp(cursor_address, "") != 0;
}

static void set_up_colours(struct top_terminal *t)
{
	const char *no_colour = getenv("NO_COLOR");

	t->colour = (!no_colour || !*no_colour) && has_colors() && start_color() == OK;
	if (!t->colour)
		return;
	use_default_colors();
	init_pair(TABLE_GREEN, COLOR_GREEN, -1);
	init_pair(TABLE_YELLOW, COLOR_YELLOW, -1);
	init_pair(TABLE_RED, COLOR_RED, -1);
}

static void set_up_keys(void)
{
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	curs_set(0);
}

int top_terminal_open(struct top_terminal **ret, struct error *ret_error)
{
	struct top_terminal *t;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return error_set(ret_error, -ENOTTY,
				 "cannot draw: input and output are not a terminal; use millrace "
				 "top --once or --once --json");
	if (!can_draw())
		return refuse(ret_error);
	t = calloc(1, sizeof(*t));
	if (!t)
		return error_set(ret_error, -ENOMEM, "cannot draw: out of memory; free some");
	t->screen = newterm(NULL, stdout, stdin);
	if (!t->screen) {
		free(t);
		return refuse(ret_error);
	}
	set_term(t->screen);
	set_up_keys();
	set_up_colours(t);
	*ret = t;
	return 0;
}

struct top_terminal *top_terminal_close(struct top_terminal *t)
{
	if (!t)
		return NULL;
	endwin();
	delscreen(t->screen);
	free(t);
	return NULL;
}

static attr_t attributes_of(struct top_ink ink)
{
	return (ink.bold || ink.colour == TABLE_BOLD ? A_BOLD : A_NORMAL) |
	       (ink.colour == TABLE_DIM ? A_DIM : A_NORMAL) | (ink.reverse ? A_REVERSE : A_NORMAL);
}

static void put(void *userdata, int y, int x, struct top_ink ink, const char *text)
{
	const struct top_terminal *t = userdata;
	bool coloured = t->colour && ink.colour >= TABLE_GREEN && ink.colour <= TABLE_RED;

	attr_set(attributes_of(ink), coloured ? (short)ink.colour : 0, NULL);
	mvaddstr(y, x, text);
	attr_set(A_NORMAL, 0, NULL);
}

void top_terminal_draw(struct top_terminal *t, struct top_view *v, const struct top_moment *m)
{
	struct top_screen s = {.put = put, .userdata = t};

	getmaxyx(stdscr, s.height, s.width);
	erase();
	top_view_draw(v, m, &s);
	curs_set(s.cursor_y >= 0);
	if (s.cursor_y >= 0)
		move(s.cursor_y, s.cursor_x);
	refresh();
}

static int translate(wint_t c)
{
	static const struct {
		wint_t curses;
		int key;
	} keys[] = {
		{KEY_UP, TOP_KEY_UP},         {KEY_DOWN, TOP_KEY_DOWN},
		{KEY_PPAGE, TOP_KEY_PAGE_UP}, {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
		{KEY_HOME, TOP_KEY_HOME},     {KEY_END, TOP_KEY_END},
		{KEY_LEFT, TOP_KEY_LEFT},     {KEY_RIGHT, TOP_KEY_RIGHT},
		{KEY_ENTER, TOP_KEY_ENTER},   {KEY_BACKSPACE, TOP_KEY_BACKSPACE},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].curses == c)
			return keys[i].key;
	return 0; /* means nothing here */
}

int top_terminal_key(struct top_terminal *t)
{
	wint_t c;
	int r = get_wch(&c);

	if (r == ERR)
		return -1;
	if (r == KEY_CODE_YES)
		return translate(c);
	if (c == REDRAW)
		clearok(stdscr, TRUE);
	return (int)c;
}
