/* SPDX-License-Identifier: Apache-2.0 */
/* `--follow` as a user has it: a command that goes on, tells what is new and tells it once, and
 * says so when its server is gone. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"
#include "millrace.h"
#include "run.h"

#define PORT   22810
#define CLIENT "followclient"

struct follower {
	const char *command, *log;
	char text[1 << 16];
	pid_t pid;
};

static pid_t server_start(struct live *l)
{
	pid_t pid = actor_fork(l, "followserver", false);
	int fd;

	if (pid)
		return pid;
	fd = actor_listen(NET_SERVER4, PORT);
	for (int c; (c = accept(fd, NULL, NULL)) >= 0;)
		close(c);
	_exit(1);
}

static void client_run(struct live *l)
{
	pid_t pid = actor_fork(l, CLIENT, true);
	int error;

	if (!pid) {
		close(actor_connect(NET_SERVER4, PORT, true, &error));
		_exit(3);
	}
	process_wait(pid, patience(l, 5000));
}

static void follow(struct live *l, const struct millrace *m, struct follower *f)
{
	char url[64];
	const char *const argv[] = {l->millrace, f->command, "--follow", "--server", url, NULL};

	snprintf(url, sizeof(url), "http://127.0.0.1:%u", m->port);
	f->pid = spawn(&(struct spawn){.log = f->log}, argv);
}

/* Lines with the client and this word. */
static unsigned int lines_with(struct follower *f, const char *word)
{
	unsigned int count = 0;
	char *end;

	if (file_read(f->log, f->text, sizeof(f->text)))
		return 0;
	for (char *line = strtok_r(f->text, "\n", &end); line; line = strtok_r(NULL, "\n", &end))
		count += strstr(line, CLIENT) && strstr(line, word);
	return count;
}

static bool tells_both_ends(void *flows)
{
	return lines_with(flows, "followserver") > 0;
}

static bool tells_two_ends(void *events)
{
	return lines_with(events, "exited with code 3") == 2;
}

static void goes_on(struct live *l, struct follower *flows, struct follower *events)
{
	client_run(l);
	check(l, wait_until(tells_both_ends, flows, patience(l, 8000)),
	      "flows --follow tells of the client");
	client_run(l);
	check(l, wait_until(tells_two_ends, events, patience(l, 8000)),
	      "events --follow tells of both its ends");
	check(l,
	      process_wait(flows->pid, 0) == -ETIMEDOUT &&
		      process_wait(events->pid, 0) == -ETIMEDOUT,
	      "both go on");
}

static bool has_ended(void *follower)
{
	struct follower *f = follower;

	return file_read(f->log, f->text, sizeof(f->text)) == 0 && strstr(f->text, "cannot");
}

static void ends(struct live *l, struct follower *f)
{
	check(l, wait_until(has_ended, f, patience(l, 8000)),
	      "%s --follow says that its server is gone", f->command);
	check_equal(l, "its status", 1, (uint64_t)process_wait(f->pid, patience(l, 5000)));
}

enum verdict test_follow(struct live *l)
{
	static struct follower flows = {.command = "flows"}, events = {.command = "events"};
	struct actor_port port = {l, NET_SERVER4, PORT};
	pid_t server = server_start(l);
	struct millrace m;

	flows.log = live_file(l, "flows.follow");
	events.log = live_file(l, "events.follow");
	wait_until(actor_accepts, &port, patience(l, 1000));
	if (millrace_start(&m, l, NULL)) {
		follow(l, &m, &flows);
		follow(l, &m, &events);
		goes_on(l, &flows, &events);
		millrace_stop(&m, SIGTERM);
		ends(l, &flows);
		ends(l, &events);
		check(l, tells_two_ends(&events), "each was told once");
	}
	process_end(server, SIGKILL, 5000);
	return verdict(l);
}
