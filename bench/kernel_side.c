/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_side.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "bench.h"
#include "report.h"

#define MAPS_MAX   64
#define EMPTY_RUNS 100000

struct seen {
	uint32_t map[MAPS_MAX];
	unsigned int maps;
};

static bool is_new(struct seen *s, uint32_t map)
{
	for (unsigned int i = 0; i < s->maps; i++)
		if (s->map[i] == map)
			return false;
	if (s->maps < MAPS_MAX)
		s->map[s->maps++] = map;
	return true;
}

static void add_program(struct kernel_side *k, uint32_t id, uint64_t bytes)
{
	struct kernel_program *p = &k->program[k->programs];
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	int fd, r;

	for (unsigned int i = 0; i < k->programs; i++)
		if (k->program[i].id == id)
			return;
	fd = bpf_prog_get_fd_by_id(id);
	r = fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, &info, &size);
	if (fd >= 0)
		close(fd);
	if (r < 0 || k->programs == KERNEL_PROGRAMS_MAX)
		return;
	*p = (struct kernel_program){.id = id, .run_ns = info.run_time_ns, .runs = info.run_cnt};
	p->in_hooks = info.type != BPF_PROG_TYPE_RAW_TRACEPOINT;
	memcpy(p->name, info.name, sizeof(p->name));
	k->programs++;
	k->program_bytes += bytes;
}

static void add_descriptor(struct kernel_side *k, struct seen *seen, const char *text)
{
	long long bytes = text_number(text, "memlock:"), map = text_number(text, "map_id:");

	if (bytes < 0)
		return;
	if (map >= 0 && is_new(seen, (uint32_t)map))
		k->map_bytes += (uint64_t)bytes;
	if (strstr(text, "prog_type:"))
		add_program(k, (uint32_t)text_number(text, "prog_id:"), (uint64_t)bytes);
}

void kernel_side_read(struct kernel_side *ret, pid_t pid)
{
	char path[320], text[1024];
	struct seen seen = {0};
	struct dirent *entry;
	DIR *directory;

	memset(ret, 0, sizeof(*ret));
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, entry->d_name);
		if (file_read(path, text, sizeof(text)) == 0)
			add_descriptor(ret, &seen, text);
	}
	if (directory)
		closedir(directory);
	if (!ret->programs)
		bench_die("find the BPF programs of process %d: it holds none", pid);
}

static const struct kernel_program *same(const struct kernel_side *k, uint32_t id)
{
	static const struct kernel_program nothing;

	for (unsigned int i = 0; i < k->programs; i++)
		if (k->program[i].id == id)
			return &k->program[i];
	return &nothing;
}

uint64_t kernel_side_hooks_ns(const struct kernel_side *from, const struct kernel_side *to)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < to->programs; i++)
		if (to->program[i].in_hooks)
			sum += to->program[i].run_ns - same(from, to->program[i].id)->run_ns;
	return sum;
}

uint64_t kernel_side_hooks_runs(const struct kernel_side *from, const struct kernel_side *to)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < to->programs; i++)
		if (to->program[i].in_hooks)
			sum += to->program[i].runs - same(from, to->program[i].id)->runs;
	return sum;
}

void kernel_side_note(const struct kernel_side *from, const struct kernel_side *to, double per,
		      const char *per_what)
{
	for (unsigned int i = 0; i < to->programs; i++) {
		const struct kernel_program *p = &to->program[i];
		uint64_t runs = p->runs - same(from, p->id)->runs;
		double ns = (double)(p->run_ns - same(from, p->id)->run_ns);

		if (runs)
			report_note("%-16s %10llu runs, %6.0f ns a run, %8.1f ns a %s", p->name,
				    (unsigned long long)runs, ns / (double)runs, ns / per,
				    per_what);
	}
}

int kernel_stats_on(void)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (fd < 0)
		bench_die("have the kernel time its programs: %s", strerror(-fd));
	return fd;
}

double kernel_stats_empty_ns(void)
{
	const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	char packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = EMPTY_RUNS);
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "bench_empty", "GPL", nothing, 2, NULL);

	if (fd < 0 || bpf_prog_test_run_opts(fd, &run) || bpf_obj_get_info_by_fd(fd, &info, &size))
		bench_die("time a program that does nothing: %m");
	close(fd);
	return info.run_cnt ? (double)info.run_time_ns / (double)info.run_cnt : 0;
}
