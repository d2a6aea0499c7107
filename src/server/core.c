/* SPDX-License-Identifier: Apache-2.0 */
/* The core's birth and death, and its defaults; see query.h. */
#include "server/core.h"
#include "server/life.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define NAMES_MAX     16384 /* of addresses */
#define PLACES_MAX    16384 /* nodes of maps that keep their place */
#define COVERS_MAX    65536 /* addresses of machines, of all agents */

static void set_defaults(struct core_config *config)
{
	if (!config->history_bytes_max)
		config->history_bytes_max = 32 << 20;
	if (!config->flows_max)
		config->flows_max = 65536;
	if (!config->actors_max)
		config->actors_max = 8192;
	if (!config->agents_max)
		config->agents_max = 64;
	if (!config->listeners_max)
		config->listeners_max = 16384;
	if (!config->fine_ns)
		config->fine_ns = 300 * NS_PER_SECOND;
	if (!config->coarse_window_ns)
		config->coarse_window_ns = 10 * NS_PER_SECOND;
	if (!config->retain_ns)
		config->retain_ns = 3600 * NS_PER_SECOND;
}

/* Keys come from whoever runs programs on the machine: they must not choose their place. */
static uint64_t random_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = 0;
	return seed;
}

static int init_history(struct core *c)
{
	const struct history_limits limits = {
		.bytes_max = c->config.history_bytes_max,
		.fine_ns = c->config.fine_ns,
		.coarse_window_ns = c->config.coarse_window_ns,
		.retain_ns = c->config.retain_ns,
		.flow_count = flow_table_size(&c->flows),
		.cuts = life_cuts,
		.userdata = c,
	};
	int r = history_init(&c->history, &limits);

	if (!r)
		r = fold_init(&c->range, limits.flow_count);
	if (!r)
		r = fold_init(&c->step, limits.flow_count);
	return r;
}

static int init(struct core *c)
{
	uint64_t seed = random_seed();
	const struct core_config *config = &c->config;
	/* a flow has three entries at the most, a listener one */
	uint32_t endpoints_max = 3 * config->flows_max + config->listeners_max + COVERS_MAX;
	int r = actor_table_init(&c->actors, config->actors_max, config->agents_max, seed);

	c->reporters = calloc(config->agents_max, sizeof(*c->reporters));
	if (!c->reporters)
		return -ENOMEM;

	if (!r)
		r = endpoint_table_init(&c->endpoints, endpoints_max, seed);
	if (!r)
		r = flow_table_init(&c->flows, config->flows_max, seed, &c->actors, &c->endpoints);
	if (!r)
		r = listener_table_init(&c->listeners, config->listeners_max, seed, &c->actors,
					&c->endpoints);
	if (!r)
		r = names_init(&c->names, NAMES_MAX);
	if (!r)
		r = layout_new(&c->layout, PLACES_MAX, seed);
	if (!r)
		r = events_init(&c->events, &c->actors, c->config.coarse_window_ns);
	return r ? r : init_history(c);
}

int core_new(struct core **ret, const struct core_config *config)
{
	struct core *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	if (config)
		c->config = *config;
	set_defaults(&c->config);
	r = init(c);
	if (r < 0) {
		core_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct core *core_free(struct core *c)
{
	if (!c)
		return NULL;
	for (uint32_t i = 0; i < c->reporter_count; i++)
		reporter_done(&c->reporters[i]);
	free(c->reporters);
	hashindex_done(&c->reporters_by_node);
	listener_table_done(&c->listeners);
	names_done(&c->names);
	news_done(&c->news);
	events_done(&c->events);
	flow_table_done(&c->flows);
	endpoint_table_done(&c->endpoints);
	actor_table_done(&c->actors);
	history_done(&c->history);
	layout_free(c->layout);
	fold_done(&c->range);
	fold_done(&c->step);
	owners_done(&c->owners);
	free(c->order);
	free(c);
	return NULL;
}

uint64_t core_version(const struct core *c)
{
	return c->version;
}

uint64_t core_resolution_ns(const struct core *c)
{
	return c->resolution_ns;
}

uint64_t core_history_from_ns(const struct core *c)
{
	return history_oldest_ns(&c->history);
}

uint64_t core_latest_ns(const struct core *c)
{
	return c->latest_ns;
}
