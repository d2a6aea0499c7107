/* SPDX-License-Identifier: Apache-2.0 */
/* What `why` says of names: those that were asked for on an edge, and an external server's own. */
#include <string.h>

#include "field.h"
#include "human.h"
#include "why_internal.h"

/* "nxdomain 5, servfail 1": what a name server could not answer. */
static void write_dns_errors(struct why *w, const json_t *errors)
{
	const char *code;
	json_t *count;
	bool first = true;

	json_object_foreach ((json_t *)errors, code, count) {
		fputs(first ? "; " : ", ", w->out);
		human_print(w->out, code);
		fprintf(w->out, " %.0f", json_number_value(count));
		first = false;
	}
}

void why_write_dns(struct why *w)
{
	const json_t *dns = field_get(w->e->json, "dns");
	double queries = field_number(dns, "queries"), timeouts = field_number(dns, "timeouts");
	double servfail = field_number(dns, "errors.servfail");
	char p50[HUMAN_NUMBER_SIZE], max[HUMAN_NUMBER_SIZE];

	if (queries <= 0 && timeouts <= 0)
		return;
	fprintf(w->out, "  %.0f name%s asked for, %.0f answered, %.0f never answered", queries,
		why_plural(queries), field_number(dns, "answers"), timeouts);
	write_dns_errors(w, field_get(dns, "errors"));
	fputc('\n', w->out);
	if (field_number(dns, "latency_us.count") > 0)
		fprintf(w->out, "  a name takes %s in the middle, %s at most\n",
			human_microseconds(p50, field_number(dns, "latency_us.p50")),
			human_microseconds(max, field_number(dns, "latency_us.max")));
	if (timeouts > 0)
		why_advise(w, 55,
			   "look at %s and the path to it: it leaves queries of %s without answer",
			   w->server, w->client);
	if (servfail > 0)
		why_advise(w, 40, "look at the name servers behind %s: it could not resolve names",
			   w->server);
}

/* An external server's addresses, where it is not called by its address anyway. */
void why_write_addresses(struct why *w)
{
	const json_t *addresses = field_array(w->e->server->json, "addresses");
	size_t i;
	json_t *a;

	json_array_foreach (addresses, i, a) {
		const char *text = json_is_string(a) ? json_string_value(a) : "?";

		if (!strcmp(text, w->e->server->name))
			return;
		if (i == 0)
			fprintf(w->out, "  the name that was asked for; it is");
		fputs(i ? ", " : " ", w->out);
		human_print(w->out, text);
	}
	if (json_array_size(addresses))
		fputc('\n', w->out);
}
