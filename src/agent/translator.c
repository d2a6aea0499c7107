/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/translator.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/conntrack.h"

struct translator {
	struct nat *nat;
	struct conntrack *conntrack;
	struct probe *probe; /* borrowed; NULL until start */
	struct mr_virtual *virtuals;
	uv_poll_t readable;
	uv_timer_t pause;
	bool started;
};

static void on_virtual(void *userdata, const struct mr_virtual *virtual, bool is_virtual)
{
	struct translator *t = userdata;

	if (t->probe) /* one that the kernel does not take costs rows that stay unresolved */
		probe_virtual_set(t->probe, virtual, is_virtual);
}

static void on_entry(void *userdata, const struct conntrack_entry *entry,
		     const struct nat_place *place)
{
	struct translator *t = userdata;

	nat_note(t->nat, entry, place);
}

int translator_open(struct translator **ret)
{
	struct translator *t = calloc(1, sizeof(*t));
	const struct nat_config config = {.virtual = on_virtual, .userdata = t};
	int r;

	if (!t)
		return -ENOMEM;
	r = nat_new(&t->nat, &config);
	if (r == 0)
		r = conntrack_open(&t->conntrack, "/proc", on_entry, t);
	if (r < 0) {
		translator_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct translator *translator_free(struct translator *t)
{
	if (!t)
		return NULL;
	conntrack_free(t->conntrack);
	nat_free(t->nat);
	free(t->virtuals);
	free(t);
	return NULL;
}

struct nat *translator_nat(struct translator *t)
{
	return t ? t->nat : NULL;
}

void translator_configure(struct translator *t, struct probe_config *config)
{
	if (!t)
		return;
	config->news = conntrack_fd(t->conntrack);
	t->virtuals = calloc(NAT_VIRTUALS_MAX, sizeof(*t->virtuals));
	if (!t->virtuals)
		return;
	config->virtuals = t->virtuals;
	config->virtual_count = nat_virtuals(t->nat, t->virtuals, NAT_VIRTUALS_MAX);
}

static void on_readable(uv_poll_t *readable, int status, int events);

static void on_pause_over(uv_timer_t *pause)
{
	struct translator *t = pause->data;

	uv_poll_start(&t->readable, UV_READABLE, on_readable);
}

static void on_readable(uv_poll_t *readable, int status, int events)
{
	struct translator *t = readable->data;
	bool many = conntrack_read(t->conntrack) >= TRANSLATOR_MANY;

	uv_poll_stop(readable);
	uv_timer_start(&t->pause, on_pause_over,
		       many ? TRANSLATOR_PAUSE_SHORT_MS : TRANSLATOR_PAUSE_MS, 0);
}

int translator_start(struct translator *t, uv_loop_t *loop, struct probe *probe)
{
	int r = uv_poll_init(loop, &t->readable, conntrack_fd(t->conntrack));

	if (r < 0)
		return r;
	uv_timer_init(loop, &t->pause);
	t->readable.data = t->pause.data = t;
	t->started = true;
	t->probe = probe;
	free(t->virtuals);
	t->virtuals = NULL;
	conntrack_read(t->conntrack);
	return uv_poll_start(&t->readable, UV_READABLE, on_readable);
}

void translator_close(struct translator *t)
{
	if (!t || !t->started)
		return;
	uv_close((uv_handle_t *)&t->readable, NULL);
	uv_close((uv_handle_t *)&t->pause, NULL);
	t->started = false;
}

void translator_read(void *userdata)
{
	struct translator *t = userdata;

	conntrack_read(t->conntrack);
}

uint64_t translator_overruns(const struct translator *t)
{
	return t ? conntrack_overruns(t->conntrack) : 0;
}
