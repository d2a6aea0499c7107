/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tests/live/run.h"

#define PLACES_MAX 16

static char made[PLACES_MAX][400];
static pid_t maker;

static void remove_place(const char *path)
{
	for (int tries = 0; rmdir(path) && errno == EBUSY && tries < 100; tries++)
		pause_us(10000);
}

/* Its processes may stand still: they are ended all the same. */
static void kill_place(const char *path)
{
	char file[512];

	snprintf(file, sizeof(file), "%s/cgroup.kill", path);
	file_write(file, "1");
}

/* Also after bench_die() or a signal. */
static void remove_all(void)
{
	for (int i = 0; maker == getpid() && i < PLACES_MAX; i++)
		if (made[i][0]) {
			kill_place(made[i]);
			remove_place(made[i]);
		}
}

static void remember(const char *path)
{
	if (!maker)
		atexit(remove_all);
	maker = getpid();
	for (int i = 0; i < PLACES_MAX; i++)
		if (!made[i][0]) {
			snprintf(made[i], sizeof(made[i]), "%s", path);
			return;
		}
}

void place_make(struct place *p, const struct bench *b, const char *name)
{
	snprintf(p->path, sizeof(p->path), "%s/millrace-bench-%d-%s", b->cgroups, getpid(), name);
	if (mkdir(p->path, 0755))
		bench_die("make the cgroup %s: %m", p->path);
	remember(p->path);
}

void place_remove(struct place *p)
{
	for (int i = 0; i < PLACES_MAX; i++)
		if (strcmp(made[i], p->path) == 0)
			made[i][0] = 0;
	remove_place(p->path);
}

static long long read_number(const struct place *p, const char *file, const char *field)
{
	char path[512], text[2048];
	long long n = -1;

	snprintf(path, sizeof(path), "%s/%s", p->path, file);
	if (file_read(path, text, sizeof(text)) == 0)
		n = text_number(text, field);
	if (n < 0)
		bench_die("read %s of %s: not there", field, path);
	return n;
}

uint64_t place_cpu_ns(const struct place *p)
{
	return (uint64_t)read_number(p, "cpu.stat", "usage_usec") * 1000;
}

void place_freeze(const struct place *p, bool frozen)
{
	char path[512];
	uint64_t end = clock_ns() + 5000000000u;

	snprintf(path, sizeof(path), "%s/cgroup.freeze", p->path);
	if (file_write(path, frozen ? "1" : "0"))
		bench_die("freeze %s: not possible with this kernel", p->path);
	while (read_number(p, "cgroup.events", "frozen") != frozen) {
		if (clock_ns() > end)
			bench_die("freeze %s: not done after 5 s", p->path);
		pause_us(200);
	}
}
