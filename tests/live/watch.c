/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "run.h"

#define MOMENTS 8

static int64_t resident_of(pid_t pid)
{
	char path[64], text[4096];
	long long kb;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	kb = file_read(path, text, sizeof(text)) ? -1 : text_number(text, "VmRSS");
	return kb < 0 ? -1 : kb * 1024;
}

static int64_t map_size(pid_t pid, const char *fd)
{
	char path[320], text[2048];
	long long size;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, fd);
	if (file_read(path, text, sizeof(text)) || text_number(text, "map_id") < 0)
		return 0;
	size = text_number(text, "memlock");
	return size > 0 ? size : 0;
}

static void look_at_descriptors(pid_t pid, struct watch_sample *s)
{
	struct dirent *e;
	char path[64];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		s->descriptors++;
		s->maps += map_size(pid, e->d_name);
	}
	if (d)
		closedir(d);
}

static void ask(const struct millrace *m, struct watch_sample *s)
{
	json_t *answer = NULL;

	api_get(m, "/api/v1/agents", NULL, &answer);
	s->history = json_integer_value(api_at(answer, "server.history_bytes"));
	s->flows = json_integer_value(api_at(answer, "server.flows"));
	s->actors = json_integer_value(api_at(answer, "server.actors"));
	json_decref(answer);
}

void watch_step(struct watch *w, unsigned int interval_ms)
{
	struct watch_sample *s = &w->samples[w->count];
	uint64_t now = clock_ns();

	if (now < w->next_ns || w->count == WATCH_SAMPLES_MAX)
		return;
	w->next_ns = now + interval_ms * 1000000ull;
	*s = (struct watch_sample){0};
	ask(w->millrace, s);
	s->resident = resident_of(w->millrace->pid);
	look_at_descriptors(w->millrace->pid, s);
	w->count++;
}

static int64_t figure_of(const struct watch_sample *s, enum watch_figure figure)
{
	switch (figure) {
	case WATCH_OWN:
		return s->resident - s->history;
	case WATCH_MAPS:
		return s->maps;
	case WATCH_DESCRIPTORS:
		return s->descriptors;
	case WATCH_FLOWS:
		return s->flows;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The middle of samples from first on. */
static int64_t middle(const struct watch *w, enum watch_figure figure, size_t first, size_t count)
{
	int64_t values[WATCH_SAMPLES_MAX];

	for (size_t i = 0; i < count; i++)
		values[i] = figure_of(&w->samples[first + i], figure);
	qsort(values, count, sizeof(*values), compare);
	return count ? values[count / 2] : 0;
}

int64_t watch_growth(const struct watch *w, enum watch_figure figure, double warm_up)
{
	size_t first = (size_t)((double)w->count * warm_up), quarter = (w->count - first) / 4;

	return middle(w, figure, w->count - quarter, quarter) - middle(w, figure, first, quarter);
}

int64_t watch_most(const struct watch *w, enum watch_figure figure)
{
	int64_t most = 0;

	for (size_t i = 0; i < w->count; i++)
		if (figure_of(&w->samples[i], figure) > most)
			most = figure_of(&w->samples[i], figure);
	return most;
}

void watch_write(const struct watch *w, enum watch_figure figure, int64_t unit, char *text,
		 size_t size)
{
	size_t used = 0;

	text[0] = 0;
	for (size_t i = 0; i < MOMENTS && w->count && used < size; i++)
		used += (size_t)snprintf(
			text + used, size - used, " %" PRId64,
			figure_of(&w->samples[i * (w->count - 1) / (MOMENTS - 1)], figure) / unit);
}

const struct watch_sample *watch_last(const struct watch *w)
{
	return &w->samples[w->count ? w->count - 1 : 0];
}
