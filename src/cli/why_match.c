/* SPDX-License-Identifier: Apache-2.0 */
#include "why_match.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field.h"
#include "why_address.h"

#define DISTANCE_NAME_MAX 64

static bool has_address(const struct graph_node *node, const char *address)
{
	const json_t *addresses = field_array(node->json, "addresses");
	json_t *a;
	size_t i;

	json_array_foreach (addresses, i, a)
		if (json_is_string(a) && !strcmp(json_string_value(a), address))
			return true;
	return false;
}

enum why_match why_match_node(const struct graph_node *node, const char *name)
{
	if (!strcmp(node->name, name) || !strcmp(node->id, name) || has_address(node, name))
		return WHY_EXACT;
	if (!strcasecmp(node->name, name))
		return WHY_CASELESS;
	if (why_address_is(name)) /* the beginning of an address is another one */
		return WHY_NONE;
	return strcasestr(node->name, name) ? WHY_PART : WHY_NONE;
}

/* A part of a name counts only where it can mean one name. */
enum why_match why_match_best(const struct graph *g, const char *name)
{
	enum why_match best = WHY_NONE;
	const char *part = NULL;
	bool several = false;

	for (size_t i = 0; i < g->node_count; i++) {
		enum why_match m = why_match_node(&g->nodes[i], name);

		best = m > best ? m : best;
		if (m == WHY_PART) {
			several |= part && strcmp(part, g->nodes[i].name);
			part = g->nodes[i].name;
		}
	}
	return best == WHY_PART && several ? WHY_NONE : best;
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* Levenshtein's distance of the first bytes, without case. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[DISTANCE_NAME_MAX + 1];
	size_t a_size = strnlen(a, DISTANCE_NAME_MAX), b_size = strnlen(b, DISTANCE_NAME_MAX);

	for (size_t j = 0; j <= b_size; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_size; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_size; j++) {
			unsigned int same = strncasecmp(&a[i - 1], &b[j - 1], 1) ? 1 : 0;
			unsigned int above = row[j];

			row[j] = min3(diagonal + same, above + 1, row[j - 1] + 1);
			diagonal = above;
		}
	}
	return row[b_size];
}

/* 0: as good as equal; larger: less alike; a third of the name may differ. */
static unsigned int unlikeness(const char *name, const char *wanted)
{
	unsigned int d = distance(name, wanted), size = (unsigned int)strlen(wanted);

	if (strcasestr(name, wanted) || (*name && strcasestr(wanted, name)))
		return 1;
	return d * 3 <= size + 2 ? 1 + d : 1000;
}

static bool has(const char *const *names, size_t count, const char *name)
{
	while (count--)
		if (!strcmp(names[count], name))
			return true;
	return false;
}

size_t why_similar(const struct graph *g, const char *name, const char **ret, size_t max)
{
	unsigned int d_max = 2 + (unsigned int)(strnlen(name, DISTANCE_NAME_MAX) + 2) / 3;
	size_t count = 0;

	for (unsigned int d = 0; d < d_max && count < max; d++)
		for (size_t i = 0; i < g->node_count && count < max; i++)
			if (unlikeness(g->nodes[i].name, name) == d &&
			    !has(ret, count, g->nodes[i].name))
				ret[count++] = g->nodes[i].name;
	return count;
}
