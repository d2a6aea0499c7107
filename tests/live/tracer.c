/* SPDX-License-Identifier: Apache-2.0 */
/* See tracer.h. */
#include "tracer.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run.h"

#define TRACEFS_AT "/sys/kernel/tracing"
#define TRACEFS    TRACEFS_AT "/events/"
#define RING_PAGES 1024 /* 524,288 samples on each CPU; full, it cannot tell */
#define FORMAT_MAX 65536

/* Where systemd runs it is mounted; it stays so, as there. */
static void mount_tracefs(void)
{
	if (access(TRACEFS, F_OK) < 0)
		mount("tracefs", TRACEFS_AT, "tracefs", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
}

static int event_id(const char *event)
{
	char path[128], text[32];
	int r;

	mount_tracefs();
	snprintf(path, sizeof(path), TRACEFS "%s/id", event);
	r = file_read(path, text, sizeof(text));
	return r < 0 ? r : atoi(text);
}

int tracer_symbol(const char *event, const char *name)
{
	static char text[FORMAT_MAX];
	char path[128], quoted[64];
	const char *at;
	int number;

	mount_tracefs();
	snprintf(path, sizeof(path), TRACEFS "%s/format", event);
	snprintf(quoted, sizeof(quoted), ", \"%s\"", name);
	if (file_read(path, text, sizeof(text)) < 0 || !(at = strstr(text, quoted)))
		return -1;
	while (at > text && *at != '{')
		at--;
	return sscanf(at, "{ %d", &number) == 1 ? number : -1;
}

static size_t ring_size(void)
{
	return (1 + RING_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
}

static int open_on(struct tracer *t, int cpu, struct perf_event_attr *attr, const char *filter)
{
	int fd = (int)syscall(SYS_perf_event_open, attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	void *ring;

	if (fd < 0)
		return -errno;
	t->fds[t->cpus] = fd;
	t->rings[t->cpus++] = MAP_FAILED;
	if (filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter))
		return -errno;
	ring = mmap(NULL, ring_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		return -errno;
	t->rings[t->cpus - 1] = ring;
	return ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) ? -errno : 0;
}

int tracer_open(struct tracer *t, const char *event, const char *filter)
{
	int id = event_id(event), cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), r = 0;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.disabled = 1,
	};

	t->cpus = 0;
	if (id < 0)
		return id;
	attr.config = (uint64_t)id;
	for (int cpu = 0; !r && cpu < cpus && cpu < TRACER_CPUS_MAX; cpu++)
		r = open_on(t, cpu, &attr, filter);
	if (r < 0)
		tracer_close(t);
	return r;
}

uint64_t tracer_count(const struct tracer *t)
{
	uint64_t count = 0;

	for (int i = 0; i < t->cpus; i++) {
		const struct perf_event_mmap_page *page = t->rings[i];
		uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);

		if (head + sizeof(struct perf_event_header) >= page->data_size)
			return UINT64_MAX;
		count += head / sizeof(struct perf_event_header);
	}
	return t->cpus ? count : UINT64_MAX;
}

void tracer_close(struct tracer *t)
{
	for (int i = 0; i < t->cpus; i++) {
		if (t->rings[i] != MAP_FAILED)
			munmap(t->rings[i], ring_size());
		close(t->fds[i]);
	}
	t->cpus = 0;
}

uint64_t tracer_untold(const struct tracer *t, uint64_t happened)
{
	uint64_t told = tracer_count(t);

	return told < happened ? happened - told : 0;
}
