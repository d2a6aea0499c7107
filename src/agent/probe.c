/* SPDX-License-Identifier: Apache-2.0 */
/* Loads, configures and attaches the kernel side; see probe.h. A window's work is probe_window.c's,
 * reading what is open already adopt.c's. */
#include "agent/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/adopt.h"
#include "agent/cgroup_mount.h"
#include "agent/probe_internal.h"

#define SLOTS_LIMIT       (1u << 22)
#define LISTENERS_DEFAULT 4096
#define COARSE_RECORDS    256 /* room for coarse flows beside flows_max */

static uint32_t or_default(uint32_t value, uint32_t standard)
{
	return value ? value : standard;
}

/* Tables by the machine's memory: about 8, 24 and 90 MB of kernel memory. */
struct machine_size {
	uint64_t memory_bytes_max; /* of machines up to this size */
	uint32_t slots, flows;
};

static const struct machine_size machine_sizes[] = {
	{4ull << 30, 16384, 2048},
	{64ull << 30, 65536, 4096},
	{UINT64_MAX, 262144, 16384},
};

static const struct machine_size *machine_size(void)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	const struct machine_size *m = machine_sizes;

	while (bytes > m->memory_bytes_max)
		m++;
	return m;
}

/* A power of two, so that a mask finds them. */
static uint32_t slots_for(uint32_t wanted)
{
	uint32_t slots = REGION_SLOTS;

	while (slots < wanted && slots < SLOTS_LIMIT)
		slots *= 2;
	return slots;
}

static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0; /* errors are told by error_set(), once and in plain words */
}

void probe_quiet(void)
{
	libbpf_set_print(on_libbpf_message);
}

#define CAPABILITIES "CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN"

static int load_failed(struct error *e, int r)
{
	if (r == -ESRCH ||
	    access("/sys/kernel/btf/vmlinux", R_OK) < 0) /* ESRCH: libbpf found none */
		return error_set(
			e, r,
			"cannot load the kernel side: /sys/kernel/btf/vmlinux is missing; "
			"use a kernel built with CONFIG_DEBUG_INFO_BTF (all of Debian's are)");
	if (r == -EPERM || (r == -EACCES && geteuid())) /* EACCES to root: the verifier */
		return error_set(e, r, "cannot load the kernel side: %s; %s", strerror(-r),
				 geteuid() ? "run as root (" CAPABILITIES ")"
					   : "root needs " CAPABILITIES
					     " and a kernel whose lockdown allows BPF");
	return error_set(e, r,
			 "cannot load the kernel side: %s; Linux 6.1 or newer is needed, "
			 "'millrace check' tells what this one lacks",
			 strerror(-r));
}

static int configure(struct probe *p, const struct probe_config *config, struct error *e)
{
	struct millrace_bpf *skel = p->skel;
	uint32_t slots = slots_for(or_default(config->slots_max, machine_size()->slots));
	uint32_t records;
	int r;

	p->slots_max = slots;
	p->flows_max = or_default(config->flows_max, machine_size()->flows);
	skel->rodata->mr_slots_mask = slots - 1;
	skel->rodata->mr_flows_max = p->flows_max;
	skel->rodata->mr_root_cgroup = config->cgroup ? p->cgroup_id : 0;
	records = p->flows_max + COARSE_RECORDS + LAST_RESORT;
	if (bpf_map__set_max_entries(skel->maps.mr_flows_a, records) ||
	    bpf_map__set_max_entries(skel->maps.mr_flows_b, records) ||
	    bpf_map__set_max_entries(skel->maps.mr_slots, slots) ||
	    bpf_map__set_max_entries(skel->maps.mr_reports, slots) ||
	    bpf_map__set_max_entries(skel->maps.mr_regions, slots / REGION_SLOTS) ||
	    bpf_map__set_max_entries(skel->maps.mr_listeners,
				     or_default(config->listeners_max, LISTENERS_DEFAULT)))
		return load_failed(e, -errno);
	for (struct bpf_program *prog = NULL; (prog = bpf_object__next_program(skel->obj, prog));)
		bpf_program__set_autoattach(prog, false);
	r = probe_udp_configure(p, config, records, e);
	if (r < 0)
		return r;
	probe_drops_configure(p);
	r = probe_process_configure(p);
	return r < 0 ? load_failed(e, r) : 0;
}

static int cgroup_open(struct probe *p, const char *path, struct error *e)
{
	char mount[PATH_MAX];
	struct statfs fs;
	struct stat st;

	if (!path) {
		if (cgroup_mount(mount, sizeof(mount)) < 0)
			return error_set(
				e, -ENOENT,
				"cannot find cgroup v2: it is mounted nowhere; mount it with "
				"'mount -t cgroup2 none /sys/fs/cgroup/unified'");
		path = mount;
	}
	p->cgroup_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->cgroup_fd < 0 || fstat(p->cgroup_fd, &st) < 0)
		return error_set(e, -errno,
				 "cannot open cgroup %s: %s; name a directory of cgroup v2", path,
				 strerror(errno));
	if (fstatfs(p->cgroup_fd, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return error_set(
			e, -ENOTDIR,
			"cannot observe %s: it is not in cgroup v2; name a directory below "
			"where that is mounted ('millrace check' tells where)",
			path);
	p->cgroup_id = st.st_ino;
	return 0;
}

static int load(struct probe *p, const struct probe_config *config, struct error *e)
{
	int r;

	p->skel = millrace_bpf__open();
	if (!p->skel)
		return load_failed(e, -errno);
	r = configure(p, config, e);
	if (r < 0)
		return r;
	r = millrace_bpf__load(p->skel);
	if (r < 0)
		return load_failed(e, r);
	p->flow_map[0] = bpf_map__fd(p->skel->maps.mr_flows_a); /* the one in place */
	p->flow_map[1] = bpf_map__fd(p->skel->maps.mr_flows_b);
	for (uint32_t i = 0; i < 2; i++) {
		r = probe_last_resort_put(p->flow_map[i]);
		if (r < 0)
			return error_set(e, r, "cannot prepare the flow maps: %s", strerror(-r));
	}
	r = probe_udp_prepare(p);
	if (r >= 0)
		r = probe_rings_open(p);
	probe_pressure_open(p);
	if (r < 0)
		return error_set(e, r, "cannot prepare the UDP flow maps and rings: %s",
				 strerror(-r));
	return 0;
}

/* In the place of the socket's own filter, which stays if this one is refused. */
static void set_virtuals(struct probe *p, const struct probe_config *config)
{
	int filter = bpf_program__fd(p->skel->progs.mr_news);

	if (config->news)
		setsockopt(config->news, SOL_SOCKET, SO_ATTACH_BPF, &filter, sizeof(filter));
	for (size_t i = 0; i < config->virtual_count; i++)
		probe_virtual_set(p, &config->virtuals[i], true);
}

static int start(struct probe *p, struct error *e)
{
	int r = probe_run(p->skel->progs.mr_start_run);

	if (r < 0)
		return error_set(e, r,
				 "cannot run a program on demand (BPF_PROG_TEST_RUN): %s; "
				 "'millrace check' tells what this kernel lacks",
				 strerror(-r));
	return 0;
}

/* Evidence that the kernel does not give is missing, not fatal. */
static void attach_optional(struct bpf_program *prog, struct bpf_link **link)
{
	*link = bpf_program__attach(prog);
}

static int attach(struct probe *p, struct error *e)
{
	struct millrace_bpf *skel = p->skel;

	probe_process_attach(p);
	skel->links.mr_sock_ops = bpf_program__attach_cgroup(skel->progs.mr_sock_ops, p->cgroup_fd);
	if (!skel->links.mr_sock_ops)
		return error_set(e, -errno,
				 "cannot attach to the cgroup: %s; another program may hold it "
				 "exclusively ('bpftool cgroup tree' shows which)",
				 strerror(errno));
	attach_optional(skel->progs.mr_error_report, &skel->links.mr_error_report);
	attach_optional(skel->progs.mr_error_report_2, &skel->links.mr_error_report_2);
	attach_optional(skel->progs.mr_retransmit_synack, &skel->links.mr_retransmit_synack);
	probe_drops_attach(p);
	return probe_udp_attach(p, e);
}

/*
 * Adopted sockets tell their close to sock_ops where the kernel lets us flag an open socket; where
 * not, a tracepoint tells it. It is attached before, so that no close falls in between, and taken
 * away again when it proved unnecessary.
 */
static int adopt(struct probe *p, struct error *e)
{
	struct millrace_bpf *skel = p->skel;
	int r;

	attach_optional(skel->progs.mr_set_state, &skel->links.mr_set_state);
	attach_optional(skel->progs.mr_set_state_2, &skel->links.mr_set_state_2);
	r = adopt_open_sockets(p, e);
	if (r < 0 || skel->bss->mr_adopted_unflagged)
		return r;
	bpf_link__destroy(skel->links.mr_set_state);
	bpf_link__destroy(skel->links.mr_set_state_2);
	skel->links.mr_set_state = skel->links.mr_set_state_2 = NULL;
	return 0;
}

/* A jiffy is the resolution of the coarse clocks. */
static uint32_t jiffy_us(void)
{
	struct timespec resolution;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution))
		return 4000;
	return (resolution.tv_nsec + 500) / 1000;
}

/* In the kernel's own words; what each is good for, `millrace check` tells. */
static void describe_hooks(struct probe *p)
{
	const struct millrace_bpf *skel = p->skel;

	snprintf(p->hooks, sizeof(p->hooks), "sock_ops%s%s%s%s%s%s",
		 skel->links.mr_error_report ? ", inet_sk_error_report" : "",
		 skel->links.mr_retransmit_synack ? ", tcp_retransmit_synack" : "",
		 skel->links.mr_set_state ? ", inet_sock_set_state" : "",
		 skel->links.mr_drop_skb ? ", kfree_skb" : "",
		 skel->links.mr_process_exit ? ", sched_process" : "", probe_udp_describe(p));
}

int probe_open(struct probe **ret, const struct probe_config *config, struct error *e)
{
	struct probe *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return error_set(e, -ENOMEM, "cannot start the agent: out of memory");
	p->cgroup_fd = -1;
	probe_quiet();
	r = cgroup_open(p, config->cgroup, e);
	if (r >= 0)
		r = load(p, config, e);
	if (r >= 0)
		r = start(p, e);
	if (r >= 0)
		set_virtuals(p, config);
	if (r >= 0)
		r = attach(p, e);
	if (r >= 0)
		r = adopt(p, e);
	if (r >= 0)
		r = probe_connections_open(p, e);
	if (r < 0) {
		probe_free(p);
		return r;
	}
	p->us_per_jiffy = jiffy_us();
	describe_hooks(p);
	*ret = p;
	return 0;
}

struct probe *probe_free(struct probe *p)
{
	if (!p)
		return NULL;
	probe_rings_close(p);
	ring_buffer__free(p->pressure);
	millrace_bpf__destroy(p->skel);
	bpf_link__destroy(p->connections_link);
	if (p->cgroup_fd >= 0)
		close(p->cgroup_fd);
	free(p);
	return NULL;
}

const char *probe_hooks(const struct probe *p)
{
	return p->hooks;
}
