/* SPDX-License-Identifier: Apache-2.0 */
/* See probe_fake.h. */
#include "agent/probe_fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct probe *current;

struct probe *probe_fake_current(void)
{
	return current;
}

int probe_open(struct probe **ret, const struct probe_config *config, struct error *ret_error)
{
	struct probe *p;

	if (config->cgroup && !strcmp(config->cgroup, "/missing"))
		return error_set(ret_error, -ENOENT, "no such cgroup");
	p = calloc(1, sizeof(*p));
	for (int i = 0; i < 2; i++)
		p->map[i] = calloc(FAKE_RECORDS_MAX, sizeof(*p->map[i]));
	pthread_mutex_init(&p->lock, NULL);
	p->pressure_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->stats.slots_max = 64;
	p->stats.flows_max = FAKE_RECORDS_MAX;
	*ret = current = p;
	return 0;
}

struct probe *probe_free(struct probe *p)
{
	if (!p)
		return NULL;
	for (int i = 0; i < 2; i++)
		free(p->map[i]);
	pthread_mutex_destroy(&p->lock);
	close(p->pressure_fd);
	free(p);
	current = NULL;
	return NULL;
}

const char *probe_hooks(const struct probe *p)
{
	return "tcp: fake";
}

static void fold_locked(struct probe *p, const struct fake_record *record)
{
	if (p->count[p->active] < FAKE_RECORDS_MAX)
		p->map[p->active][p->count[p->active]++] = *record;
}

void probe_fake_fold(struct probe *p, const struct mr_flow_key *key,
		     const struct mr_flow_value *value)
{
	const struct fake_record record = {.key = *key, .value = *value};

	pthread_mutex_lock(&p->lock);
	fold_locked(p, &record);
	pthread_mutex_unlock(&p->lock);
}

static void end_pass(struct probe *p, const struct probe_sweep *how)
{
	p->cursor = 0;
	p->whole_sweeps += how->everything;
	if (how->everything && p->has_unswept)
		fold_locked(p, &p->unswept);
	if (how->everything)
		p->has_unswept = false;
}

int probe_sweep(struct probe *p, const struct probe_sweep *how, bool *ret_done)
{
	uint32_t left;

	pthread_mutex_lock(&p->lock);
	p->last_sweep = *how;
	left = p->stats.sockets - p->cursor;
	if (left > how->sockets_max)
		left = how->sockets_max;
	p->cursor += left;
	p->stats.swept += left;
	p->stats.sweep_ns += left * p->visit_ns;
	*ret_done = p->cursor == p->stats.sockets;
	if (*ret_done)
		end_pass(p, how);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

int probe_swap(struct probe *p)
{
	int r;

	pthread_mutex_lock(&p->lock);
	r = p->swap_result;
	if (r == 0) {
		if (p->count[!p->active])
			abort(); /* the quiet map must have been drained */
		if (p->has_late_listener) {
			p->listeners[p->listener_count++] = p->late_listener;
			p->stats.listeners_version++;
			p->has_late_listener = false;
		}
		p->active = !p->active;
		p->swaps++;
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}

int probe_drain(struct probe *p, probe_flow_fn fn, void *userdata)
{
	int quiet = !p->active, r = p->drain_result;

	p->drains++;
	while (r == 0 && p->count[quiet]) {
		const struct fake_record *record = &p->map[quiet][--p->count[quiet]];

		r = fn(userdata, &record->key, &record->value);
	}
	return r;
}

int probe_rings_fd(const struct probe *p)
{
	return -1;
}

void probe_rings_read(struct probe *p, const struct probe_reader *reader)
{
	for (size_t i = 0; i < p->dns_count; i++)
		reader->on_dns(reader->userdata, &p->dns[i].head, p->dns[i].data);
	for (size_t i = 0; i < p->process_count; i++)
		reader->on_process(reader->userdata, &p->processes[i]);
	p->dns_count = p->process_count = 0;
}

int probe_pressure_fd(const struct probe *p)
{
	return p->pressure_fd;
}

void probe_pressure_clear(struct probe *p)
{
	eventfd_t value;

	eventfd_read(p->pressure_fd, &value);
}

int probe_drops(struct probe *p, probe_drop_fn fn, void *userdata)
{
	const struct mr_drop drop = {.count = 3};
	const char *reason = p->drop_reason;

	p->drop_reason = NULL;
	return reason ? fn(userdata, &p->drop_key, &drop, reason) : 0;
}

int probe_listeners(struct probe *p, probe_listener_fn fn, void *userdata)
{
	int r = 0;

	p->listener_reads++;
	for (size_t i = 0; i < p->listener_count && r == 0; i++)
		r = fn(userdata, &p->listeners[i]);
	return r;
}

int probe_connections(struct probe *p, uint32_t max, probe_connection_fn fn, void *userdata,
		      uint64_t *ret_total)
{
	int r = 0;

	*ret_total = p->connection_count;
	for (size_t i = 0; i < p->connection_count && i < max && r == 0; i++)
		r = fn(userdata, &p->connections[i].key, &p->connection[i],
		       p->connections[i].value.comm, p->connections[i].value.process_start_ns);
	return r;
}

int probe_virtual_set(struct probe *p, const struct mr_virtual *virtual, bool is_virtual)
{
	p->virtuals += is_virtual ? 1 : -1;
	return 0;
}

int probe_stats(struct probe *p, struct probe_stats *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->stats;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

int probe_check(struct probe_feature *ret, size_t max, size_t *ret_count)
{
	*ret_count = 0;
	return 0;
}
