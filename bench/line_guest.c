/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcptop and tcplife beside millrace, in a guest whose kernel has the kprobes they need. An
 * emulated CPU is about thirty times slower: figures compare with each other, not with those of the
 * host. The kernel times everybody's programs here, which taxes each alike.
 */
#include "beside.h"
#include "report.h"

static struct watcher watchers[] = {
	{.name = "in the guest: tcptop (libbpf-tools), each second, as many rows as it can",
	 .command = "exec tcptop -C -r 10240 1 >tcptop.out",
	 .output = "tcptop.out",
	 .bytes = PAYLOAD,
	 .read = watcher_read_tcptop},
	{.name = "in the guest: tcplife (libbpf-tools)",
	 .command = "exec tcplife >tcplife.out",
	 .output = "tcplife.out",
	 .bytes = PAYLOAD,
	 .read = watcher_read_tcplife},
};

void line_guest(const struct bench *b)
{
	struct known k = {.seconds = 10, .connections = 1000, .long_bytes = 50000000};
	struct beside s = {.bench = b,
			   .known = &k,
			   .watchers = watchers,
			   .watcher_count = sizeof(watchers) / sizeof(*watchers),
			   .timed = true,
			   .name = "in the guest: millrace",
			   .remark = " (emulated)"};

	known_init(&k, b);
	beside_run(&s);
	report_note("%u connections and %.0f MB in %u s", k.connections + 1,
		    (double)known_payload(&k) / 1e6, k.seconds);
	beside_report(&s);
	known_done(&k);
}
