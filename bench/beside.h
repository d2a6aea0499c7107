/* SPDX-License-Identifier: Apache-2.0 */
/* millrace and other tools on one known traffic, at the same time. */
#pragma once

#include <stddef.h>

#include "known.h"
#include "watcher.h"

struct beside {
	const struct bench *bench; /* borrowed, as are all */
	const struct known *known;
	struct watcher *watchers;
	size_t watcher_count;
	bool timed;         /* the kernel times all BPF programs: where others have some too */
	const char *name;   /* of millrace's own row */
	const char *remark; /* behind each figure of CPU */

	double seconds; /* that were watched */
	uint64_t wire_bytes;
	double millrace_ns, opened, payload;
};

void beside_run(struct beside *s);
void beside_report(const struct beside *s);
