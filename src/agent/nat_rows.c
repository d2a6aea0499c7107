/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/nat_rows.h"

#include <stdlib.h>
#include <string.h>

struct row {
	struct mr_flow_key key;
	struct mr_flow_value value;
	unsigned int windows; /* it has waited */
};

struct nat_rows {
	struct nat *nat; /* borrowed */
	nat_row_fn fn;
	void *userdata;
	uint64_t unresolved;
	size_t count;
	struct row rows[NAT_ROWS_MAX];
};

struct nat_rows *nat_rows_new(struct nat *nat, nat_row_fn fn, void *userdata)
{
	struct nat_rows *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->nat = nat;
	w->fn = fn;
	w->userdata = userdata;
	return w;
}

struct nat_rows *nat_rows_free(struct nat_rows *w)
{
	free(w);
	return NULL;
}

static void hand_over(struct nat_rows *w, const struct mr_flow_key *key,
		      const struct mr_flow_value *value, const struct flow_nat *nat)
{
	struct mr_flow_key folded = *key;

	folded.ephemeral = 0;
	w->fn(w->userdata, &folded, value, nat);
}

static void hand_over_unresolved(struct nat_rows *w, const struct mr_flow_key *key,
				 const struct mr_flow_value *value)
{
	const struct flow_nat nat = {.unresolved = true};

	w->unresolved++;
	hand_over(w, key, value, &nat);
}

/* Changes both only if it is known. */
static bool find(const struct nat_rows *w, struct mr_flow_key *key, struct flow_nat *nat)
{
	struct nat_answer answer;

	if (!nat_find(w->nat, key, &answer))
		return false;
	memcpy(key->remote, answer.remote, sizeof(key->remote));
	key->port = answer.port;
	memcpy(nat->via, answer.via, sizeof(nat->via));
	nat->via_port = answer.via_port;
	return true;
}

static bool resolve(struct nat_rows *w, const struct mr_flow_key *key,
		    const struct mr_flow_value *value)
{
	struct mr_flow_key real = *key;
	struct flow_nat nat = {0};

	if (!find(w, &real, &nat))
		return false;
	hand_over(w, &real, value, &nat);
	return true;
}

static void wait_for_entry(struct nat_rows *w, const struct mr_flow_key *key,
			   const struct mr_flow_value *value)
{
	if (w->count == NAT_ROWS_MAX)
		hand_over_unresolved(w, key, value);
	else
		w->rows[w->count++] = (struct row){.key = *key, .value = *value};
}

void nat_rows_add(struct nat_rows *w, const struct mr_flow_key *key,
		  const struct mr_flow_value *value)
{
	if (key->coarse)
		hand_over(w, key, value, NULL);
	else if (key->ephemeral && !resolve(w, key, value))
		wait_for_entry(w, key, value);
	else if (!key->ephemeral && nat_is_virtual(w->nat, key))
		hand_over_unresolved(w, key, value);
	else if (!key->ephemeral)
		hand_over(w, key, value, NULL);
}

void nat_rows_retry(struct nat_rows *w, bool last)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->count; i++) {
		struct row *row = &w->rows[i];

		if (resolve(w, &row->key, &row->value))
			continue;
		if (last || ++row->windows >= NAT_ROWS_WINDOWS)
			hand_over_unresolved(w, &row->key, &row->value);
		else if (kept++ != i)
			w->rows[kept - 1] = *row;
	}
	w->count = kept;
}

bool nat_rows_translate(const struct nat_rows *w, struct mr_flow_key *key, struct flow_nat *ret_nat)
{
	struct flow_nat nat = {0};
	bool translated = key->ephemeral || (!key->coarse && nat_is_virtual(w->nat, key));

	if (translated && !(key->ephemeral && find(w, key, &nat)))
		nat.unresolved = true;
	key->ephemeral = 0;
	*ret_nat = nat;
	return translated;
}

uint64_t nat_rows_unresolved(const struct nat_rows *w)
{
	return w->unresolved;
}
