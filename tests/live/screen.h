/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal for a program under test: a pty, and an emulator (libvterm) that shows what a person
 * would see.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "live.h"

struct screen {
	pid_t pid; /* the program; 0 once it has ended */
	int fd, status;
	int width, height;
	bool bell, title; /* rang, or changed the window's title: what no name may do */
	void *emulator, *cells;
};

/* Runs argv in a terminal of this size and kind ("xterm-256color"); environment "NAME=value", may
 * be NULL. */
bool screen_open(struct screen *s, int width, int height, const char *term, const char *environment,
		 const char *const *argv);
void screen_close(struct screen *s); /* ends the program, if it has not ended */

void screen_type(struct screen *s, const char *keys);
void screen_resize(struct screen *s, int width, int height);

/* Takes what the program has written for as long as ms, or until it ends. */
void screen_read(struct screen *s, unsigned int ms);
/* Reads until the text is on the screen (or not any more); false after timeout_ms. */
bool screen_shows(struct screen *s, const char *text, unsigned int timeout_ms);
bool screen_lost(struct screen *s, const char *text, unsigned int timeout_ms);
/* Reads until the program has ended; its status, or -1. */
int screen_ended(struct screen *s, unsigned int timeout_ms);

/* A line as text, without blanks at its end; the line that holds a text, -1: none. */
const char *screen_line(const struct screen *s, int y); /* static storage */
int screen_find(const struct screen *s, const char *text);
bool screen_coloured(const struct screen *s); /* anything on it */
void screen_say(const struct screen *s);      /* what is on it, for a failed check */
