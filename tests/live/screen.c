/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vterm.h>

#include "run.h"

static int on_bell(void *userdata)
{
	((struct screen *)userdata)->bell = true;
	return 1;
}

static int on_property(VTermProp property, VTermValue *value, void *userdata)
{
	struct screen *s = userdata;

	s->title |= property == VTERM_PROP_TITLE || property == VTERM_PROP_ICONNAME;
	return 1;
}

static const VTermScreenCallbacks callbacks = {.bell = on_bell, .settermprop = on_property};

static void become(const char *term, const char *environment, const char *const *argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("TERM", term, 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("NO_COLOR");
	if (environment)
		putenv((char *)environment);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

bool screen_open(struct screen *s, int width, int height, const char *term, const char *environment,
		 const char *const *argv)
{
	struct winsize size = {.ws_row = (unsigned short)height, .ws_col = (unsigned short)width};

	*s = (struct screen){.width = width, .height = height, .status = -1};
	s->pid = forkpty(&s->fd, NULL, NULL, &size);
	if (s->pid == 0)
		become(term, environment, argv);
	if (s->pid < 0)
		return false;
	s->emulator = vterm_new(height, width);
	vterm_set_utf8(s->emulator, 1);
	s->cells = vterm_obtain_screen(s->emulator);
	vterm_screen_set_callbacks(s->cells, &callbacks, s);
	vterm_screen_enable_altscreen(s->cells, 1);
	vterm_screen_reset(s->cells, 1);
	return true;
}

void screen_close(struct screen *s)
{
	if (s->pid > 0)
		process_end(s->pid, SIGTERM, 5000);
	if (s->emulator) {
		vterm_free(s->emulator);
		close(s->fd);
	}
	*s = (struct screen){0};
}

void screen_type(struct screen *s, const char *keys)
{
	if (write(s->fd, keys, strlen(keys)) < 0)
		say("cannot type: %s", strerror(errno));
}

void screen_resize(struct screen *s, int width, int height)
{
	struct winsize size = {.ws_row = (unsigned short)height, .ws_col = (unsigned short)width};

	s->width = width;
	s->height = height;
	vterm_set_size(s->emulator, height, width);
	ioctl(s->fd, TIOCSWINSZ, &size);
}

enum heard { SILENCE, SOMETHING, CLOSED };

static enum heard read_some(struct screen *s, int ms)
{
	struct pollfd fd = {.fd = s->fd, .events = POLLIN};
	char bytes[4096];
	ssize_t size;

	if (poll(&fd, 1, ms) <= 0)
		return SILENCE;
	size = read(s->fd, bytes, sizeof(bytes));
	if (size <= 0)
		return CLOSED;
	vterm_input_write(s->emulator, bytes, (size_t)size);
	return SOMETHING;
}

/* False: the program has closed its side. */
static bool read_once(struct screen *s, int ms)
{
	return read_some(s, ms) != CLOSED;
}

/* A drawing comes in pieces: nobody looks at half of one. */
static void settle(struct screen *s)
{
	for (int i = 0; i < 100 && read_some(s, 50) == SOMETHING; i++)
		;
}

void screen_read(struct screen *s, unsigned int ms)
{
	uint64_t until = clock_ns() + ms * 1000000ull;

	while (clock_ns() < until)
		if (!read_once(s, 20))
			return;
}

static bool wait_text(struct screen *s, const char *text, unsigned int timeout_ms, bool there)
{
	uint64_t until = clock_ns() + timeout_ms * 1000000ull;
	bool open = true;

	while ((screen_find(s, text) >= 0) != there)
		if (!open || clock_ns() > until)
			return false;
		else
			open = read_once(s, 50);
	settle(s);
	return true;
}

bool screen_shows(struct screen *s, const char *text, unsigned int timeout_ms)
{
	return wait_text(s, text, timeout_ms, true);
}

bool screen_lost(struct screen *s, const char *text, unsigned int timeout_ms)
{
	return wait_text(s, text, timeout_ms, false);
}

int screen_ended(struct screen *s, unsigned int timeout_ms)
{
	uint64_t until = clock_ns() + timeout_ms * 1000000ull;
	int status;

	while (s->pid > 0 && clock_ns() < until) {
		read_once(s, 20);
		if (waitpid(s->pid, &status, WNOHANG) != s->pid)
			continue;
		while (read_once(s, 20) && clock_ns() < until && screen_find(s, "\n") >= 0)
			;
		s->pid = 0;
		s->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return s->status;
}

const char *screen_line(const struct screen *s, int y)
{
	static char line[4096];
	VTermRect whole = {y, y + 1, 0, s->width};
	size_t size = vterm_screen_get_text(s->cells, line, sizeof(line) - 1, whole);

	while (size && line[size - 1] == ' ')
		size--;
	line[size] = '\0';
	return line;
}

int screen_find(const struct screen *s, const char *text)
{
	for (int y = 0; y < s->height; y++)
		if (strstr(screen_line(s, y), text))
			return y;
	return -1;
}

bool screen_coloured(const struct screen *s)
{
	for (int y = 0; y < s->height; y++)
		for (int x = 0; x < s->width; x++) {
			VTermScreenCell cell;

			vterm_screen_get_cell(s->cells, (VTermPos){y, x}, &cell);
			if (!VTERM_COLOR_IS_DEFAULT_FG(&cell.fg) ||
			    !VTERM_COLOR_IS_DEFAULT_BG(&cell.bg))
				return true;
		}
	return false;
}

void screen_say(const struct screen *s)
{
	for (int y = 0; y < s->height; y++)
		say("|%s", screen_line(s, y));
}
