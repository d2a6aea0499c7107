/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/item.h"

struct store_item *store_item_new(void)
{
	struct arena *arena = arena_new();
	struct store_item *item = arena ? arena_alloc(arena, sizeof(*item)) : NULL;

	if (!item) {
		arena_free(arena);
		return NULL;
	}
	item->arena = arena;
	item->actors = vector_init(arena, sizeof(struct store_actor), 0);
	item->flows = vector_init(arena, sizeof(struct store_flow), 0);
	item->names = vector_init(arena, sizeof(struct store_name), 0);
	item->events = vector_init(arena, sizeof(struct store_event), 0);
	item->reasons = vector_init(arena, sizeof(struct store_reason), 0);
	item->windows = vector_init(arena, sizeof(struct store_window), 0);
	item->listeners = vector_init(arena, sizeof(struct store_listener), 0);
	item->covers = vector_init(arena, sizeof(struct store_cover), 0);
	return item;
}

struct store_item *store_item_free(struct store_item *item)
{
	if (item)
		arena_free(item->arena);
	return NULL;
}
