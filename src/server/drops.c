/* SPDX-License-Identifier: Apache-2.0 */
/* See drops.h. */
#include "server/drops.h"

#include <string.h>

#include "server/text.h"

static const char other[] = "~other";

uint16_t reason_names_put(struct reason_names *r, const char *name)
{
	char clean[DROP_REASON_SIZE];
	uint32_t i;

	text_clean(clean, sizeof(clean), name);
	if (!clean[0] || !strcmp(clean, other))
		return DROP_OTHER;
	for (i = 1; i <= r->count; i++)
		if (!strcmp(r->name[i], clean))
			return (uint16_t)i;
	if (i == DROP_REASONS_MAX)
		return DROP_OTHER;
	memcpy(r->name[i], clean, sizeof(clean));
	r->count++;
	return (uint16_t)i;
}

const char *reason_names_get(const struct reason_names *r, uint16_t number)
{
	return number == DROP_OTHER ? other : r->name[number];
}

void drops_add(struct drops *d, uint16_t reason, uint64_t count)
{
	uint32_t i;

	if (!count)
		return;
	for (i = 0; i < d->used; i++)
		if (d->item[i].reason == reason)
			break;
	if (i == DROPS_MAX)
		i--;
	if (i == DROPS_MAX - 1)
		d->item[i].reason = DROP_OTHER;
	else
		d->item[i].reason = reason;
	d->item[i].count += count;
	if (i == d->used)
		d->used++;
}

void drops_merge(struct drops *into, const struct drops *from)
{
	for (uint32_t i = 0; i < from->used; i++)
		drops_add(into, from->item[i].reason, from->item[i].count);
}

uint64_t drops_total(const struct drops *d)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < d->used; i++)
		sum += d->item[i].count;
	return sum;
}
