/* SPDX-License-Identifier: Apache-2.0 */
/* The probe's half for processes; see bpf/process.h. Where their ends cannot be seen, nobody is
 * noted: that is missing, not fatal. */
#include <errno.h>

#include <bpf/libbpf.h>

#include "agent/probe_internal.h"

int probe_process_configure(struct probe *p)
{
	return bpf_map__set_max_entries(p->skel->maps.mr_processes, p->slots_max / 4) ? -errno : 0;
}

void probe_process_attach(struct probe *p)
{
	struct millrace_bpf *skel = p->skel;

	skel->links.mr_process_exit = bpf_program__attach(skel->progs.mr_process_exit);
	if (!skel->links.mr_process_exit)
		return;
	skel->links.mr_process_exec = bpf_program__attach(skel->progs.mr_process_exec);
	if (skel->links.mr_process_exec)
		skel->links.mr_process_fork = bpf_program__attach(skel->progs.mr_process_fork);
	skel->bss->mr_processes_watched = 1;
}
