/* SPDX-License-Identifier: Apache-2.0 */
/* What `why` says of names: those that were asked for on an edge, and an external server's own. */
#include <string.h>

#include "field.h"
#include "human.h"
#include "why_internal.h"

/* As on the page. */
static const struct {
	const char *code, *words;
} codes[] = {
	{"nxdomain", "no such name"},  {"servfail", "server failed"}, {"refused", "refused"},
	{"formerr", "not understood"}, {"notimp", "not supported"},   {"other", "other errors"},
};

static const char *words_of(const char *code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (!strcmp(codes[i].code, code))
			return codes[i].words;
	return code;
}

/* "; 5: no such name, 1: server failed": of the answers. */
static void write_dns_errors(struct why *w, const json_t *errors)
{
	const char *code;
	json_t *count;
	bool first = true;

	json_object_foreach ((json_t *)errors, code, count) {
		fprintf(w->out, "%s %.0f: ", first ? ";" : ",", json_number_value(count));
		human_print(w->out, words_of(code));
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
	/* a name is often asked for twice: its IPv4 and its IPv6 address */
	fprintf(w->out, "  %.0f quer%s for names, %.0f answered, %.0f never answered", queries,
		queries == 1 ? "y" : "ies", field_number(dns, "answers"), timeouts);
	write_dns_errors(w, field_get(dns, "errors"));
	fputc('\n', w->out);
	if (field_number(dns, "latency_us.count") > 0)
		fprintf(w->out, "  an answer takes %s in the middle, %s at most\n",
			human_microseconds(p50, field_number(dns, "latency_us.p50")),
			human_microseconds(max, field_number(dns, "latency_us.max")));
	if (timeouts > 0)
		why_advise(w, 55,
			   "look at %s and the path to it: it leaves queries of %s without answer",
			   w->server, w->client);
	if (field_number(dns, "errors.nxdomain") > 0)
		why_advise(w, 20,
			   "nothing, unless all the names that %s asks for should exist (a search "
			   "list in resolv.conf asks for some that do not)",
			   w->client);
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
