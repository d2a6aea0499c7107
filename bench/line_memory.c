/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of `millrace up` as it is started by default, with 10,000 live sockets: resident pages of
 * the process (its share of shared ones left whole), and what the kernel accounts to its maps and
 * programs.
 */
#include <stdio.h>

#include "../tests/live/run.h"
#include "holder.h"
#include "kernel_side.h"
#include "observer.h"
#include "report.h"

#define SOCKETS 10000

static double resident_mb(pid_t pid, const char *field)
{
	char path[64], text[4096];
	long long kb = -1;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	if (file_read(path, text, sizeof(text)) == 0)
		kb = text_number(text, field);
	if (kb < 0)
		bench_die("read %s of %s", field, path);
	return (double)kb * 1024 / 1e6;
}

void line_memory(const struct bench *b)
{
	static const struct promise promise = {"≤ 60 MB (stretch 25)", 60, 25, false};
	struct kernel_side k;
	struct observer o;
	struct holder h;
	double resident, kernel;

	holder_start(&h, b, SOCKETS, 10);
	observer_start(&o, b, &h.place, NULL);
	pause_us(bench_amount(b, 20, 5) * 1000000u);
	kernel_side_read(&k, o.pid);
	resident = resident_mb(o.pid, "Rss:");
	kernel = (double)(k.map_bytes + k.program_bytes) / 1e6;
	report_row("memory of `millrace up`, 10,000 live sockets", &promise, resident + kernel,
		   "%.1f MB: resident %.1f, kernel maps %.1f, programs %.1f", resident + kernel,
		   resident, (double)k.map_bytes / 1e6, (double)k.program_bytes / 1e6);
	report_note(
		"of the resident %.1f MB are anonymous, the rest is pages of the binary and its "
		"libraries; sockets followed: %.0f",
		resident_mb(o.pid, "Anonymous:"), observer_account(&o).sockets);
	observer_stop(&o);
	holder_stop(&h);
}
