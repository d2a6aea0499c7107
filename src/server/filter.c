/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See filter.h. A filter is parsed into one block: the text's copy, cut into items in place, and
 * the terms that point into it.
 */
#include "server/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/address.h"

#define TERMS_MAX 64
#define ITEMS_MAX 256
#define TEXT_MAX  4096

struct item {
	const char *text;
	union {
		struct address_prefix prefix;
		struct {
			uint16_t low, high;
			const char *protocol; /* NULL: any */
		} ports;
	};
};

struct key;

struct term {
	const struct key *key;
	const struct item *items;
	size_t item_count;
	bool negated;
};

struct filter {
	struct term terms[TERMS_MAX];
	struct item items[ITEMS_MAX];
	size_t term_count, item_count;
	char text[]; /* items, each terminated */
};

/* --- what an item matches ------------------------------------------------------------------- */

/* Shell-like, with * only. Linear in both texts: a * goes back to itself, never further. */
static bool wildcard_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool name_matches(const struct item *i, const struct filter_end *e)
{
	return wildcard_matches(i->text, e->workload) ||
	       (e->process[0] && wildcard_matches(i->text, e->process));
}

static bool match_client(const struct item *i, const struct filter_subject *s)
{
	return name_matches(i, &s->client);
}

static bool match_server(const struct item *i, const struct filter_subject *s)
{
	return name_matches(i, &s->server);
}

static bool match_either(const struct item *i, const struct filter_subject *s)
{
	return name_matches(i, &s->client) || name_matches(i, &s->server);
}

static bool match_process(const struct item *i, const struct filter_subject *s)
{
	return (s->client.process[0] && wildcard_matches(i->text, s->client.process)) ||
	       (s->server.process[0] && wildcard_matches(i->text, s->server.process));
}

static bool container_matches(const struct item *i, const struct filter_end *e)
{
	if (!e->container[0])
		return false;
	return !strncmp(e->container, i->text, strlen(i->text)) ||
	       wildcard_matches(i->text, e->container);
}

static bool match_container(const struct item *i, const struct filter_subject *s)
{
	return container_matches(i, &s->client) || container_matches(i, &s->server);
}

static bool match_address(const struct item *i, const struct filter_subject *s)
{
	return (s->client.address_known &&
		address_prefix_contains(&i->prefix, s->client.address)) ||
	       (s->server.address_known && address_prefix_contains(&i->prefix, s->server.address));
}

static bool match_port(const struct item *i, const struct filter_subject *s)
{
	return s->port >= i->ports.low && s->port <= i->ports.high &&
	       (!i->ports.protocol || !strcmp(i->ports.protocol, s->protocol));
}

static bool match_protocol(const struct item *i, const struct filter_subject *s)
{
	return !strcmp(i->text, s->protocol);
}

static bool match_node(const struct item *i, const struct filter_subject *s)
{
	return wildcard_matches(i->text, s->client.node) ||
	       wildcard_matches(i->text, s->server.node);
}

static bool match_zone(const struct item *i, const struct filter_subject *s)
{
	return wildcard_matches(i->text, s->client.zone) ||
	       wildcard_matches(i->text, s->server.zone);
}

static bool match_class(const struct item *i, const struct filter_subject *s)
{
	return !strcmp(i->text, s->class_name);
}

static bool match_carrier(const struct item *i, const struct filter_subject *s)
{
	return !strcmp(i->text, s->carrier[0] ? s->carrier : "none");
}

/* --- what an item may be -------------------------------------------------------------------- */

static int parse_nothing(struct item *i)
{
	return 0;
}

static int parse_address(struct item *i)
{
	return address_prefix_parse(&i->prefix, i->text);
}

static bool is_protocol(const char *text)
{
	return !strcmp(text, "tcp") || !strcmp(text, "udp");
}

static const char *parse_port_number(const char *p, uint16_t *ret)
{
	unsigned int port = 0;

	if (*p < '0' || *p > '9')
		return NULL;
	for (; *p >= '0' && *p <= '9'; p++) {
		port = port * 10 + (*p - '0');
		if (port > 65535)
			return NULL;
	}
	*ret = (uint16_t)port;
	return p;
}

static int parse_ports(struct item *i)
{
	const char *p = parse_port_number(i->text, &i->ports.low);

	i->ports.high = i->ports.low;
	if (p && *p == '-')
		p = parse_port_number(p + 1, &i->ports.high);
	i->ports.protocol = NULL;
	if (p && *p == '/' && is_protocol(p + 1)) {
		i->ports.protocol = p + 1;
		p += strlen(p);
	}
	return p && !*p && i->ports.low <= i->ports.high ? 0 : -EINVAL;
}

static int parse_protocol(struct item *i)
{
	return is_protocol(i->text) ? 0 : -EINVAL;
}

static int parse_one_of(const struct item *i, const char *const *words, size_t count)
{
	for (size_t k = 0; k < count; k++)
		if (!strcmp(i->text, words[k]))
			return 0;
	return -EINVAL;
}

static int parse_class(struct item *i)
{
	static const char *const words[] = {"same_node",    "same_zone", "cross_zone",
					    "cross_region", "external",  "unknown"};

	return parse_one_of(i, words, sizeof(words) / sizeof(*words));
}

static int parse_carrier(struct item *i)
{
	static const char *const words[] = {"none", "sidecar", "tunnel"};

	return parse_one_of(i, words, sizeof(words) / sizeof(*words));
}

static const struct key {
	const char *name, *expects;
	int (*parse)(struct item *i);
	bool (*matches)(const struct item *i, const struct filter_subject *s);
	bool of_edge;
} keys[] = {
	{"either", "a name", parse_nothing, match_either}, /* first: the one of bare words */
	{"client", "a name", parse_nothing, match_client},
	{"server", "a name", parse_nothing, match_server},
	{"process", "a name", parse_nothing, match_process},
	{"container", "the beginning of a container id", parse_nothing, match_container},
	{"address", "an address or prefix such as 10.0.0.0/8", parse_address, match_address, true},
	{"port", "a port or range such as 80, 53/udp or 8000-8099", parse_ports, match_port, true},
	{"protocol", "tcp or udp", parse_protocol, match_protocol, true},
	{"node", "the name of a node", parse_nothing, match_node},
	{"zone", "the name of a zone", parse_nothing, match_zone},
	{"class", "same_node, same_zone, cross_zone, cross_region, external or unknown",
	 parse_class, match_class, true},
	{"carrier", "none, sidecar or tunnel", parse_carrier, match_carrier, true},
};
#define KEY_COUNT (sizeof(keys) / sizeof(*keys))

/* --- parsing -------------------------------------------------------------------------------- */

struct parser {
	const char *at;
	char *out; /* where the next item goes, in filter->text */
	struct filter *filter;
	struct error *error;
};

static bool ends_item(char c)
{
	return !c || c == ' ' || c == ',';
}

/* The key at the cursor, which moves behind its colon; NULL: there is none. */
static const struct key *parse_key(struct parser *p)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		size_t length = strlen(keys[i].name);

		if (strncmp(p->at, keys[i].name, length) != 0 || p->at[length] != ':')
			continue;
		p->at += length + 1;
		return &keys[i];
	}
	return NULL;
}

/* A word before a colon that is no key; IPv6 addresses are written with address:. */
static bool has_unknown_key(const struct parser *p)
{
	const char *c = p->at;

	while (!ends_item(*c) && *c != ':' && *c != '"')
		c++;
	return *c == ':';
}

static int parse_quoted(struct parser *p)
{
	for (p->at++; *p->at && *p->at != '"'; p->at++)
		*p->out++ = *p->at;
	if (!*p->at)
		return error_set(p->error, -EINVAL,
				 "cannot read filter: a \" is not closed: expected another \"");
	p->at++;
	if (!ends_item(*p->at))
		return error_set(p->error, -EINVAL,
				 "cannot read filter at \"%.40s\": expected a space or comma after "
				 "the closing \"",
				 p->at);
	return 0;
}

static int parse_item(struct parser *p, const struct key *key)
{
	struct filter *f = p->filter;
	struct item *item = &f->items[f->item_count];
	int r = 0;

	if (f->item_count == ITEMS_MAX)
		return error_set(p->error, -EINVAL,
				 "cannot read filter: more than %d values: expected fewer",
				 ITEMS_MAX);
	item->text = p->out;
	if (*p->at == '"')
		r = parse_quoted(p);
	else
		while (!ends_item(*p->at))
			*p->out++ = *p->at++;
	if (r < 0)
		return r;
	*p->out++ = '\0';
	if (!*item->text || key->parse(item) < 0)
		return error_set(p->error, -EINVAL, "cannot read filter: %s:%.40s: expected %s",
				 key->name, item->text, key->expects);
	f->item_count++;
	return 0;
}

static int parse_term(struct parser *p)
{
	struct filter *f = p->filter;
	struct term *term = &f->terms[f->term_count];
	int r;

	if (f->term_count == TERMS_MAX)
		return error_set(p->error, -EINVAL,
				 "cannot read filter: more than %d terms: expected fewer",
				 TERMS_MAX);
	term->negated = *p->at == '!';
	p->at += term->negated;
	term->key = parse_key(p);
	if (!term->key && has_unknown_key(p))
		return error_set(p->error, -EINVAL,
				 "cannot read filter at \"%.40s\": expected client:, server:, "
				 "either:, process:, container:, address:, port:, protocol:, "
				 "node:, zone:, class: or carrier:",
				 p->at);
	if (!term->key)
		term->key = &keys[0];
	term->items = &f->items[f->item_count];
	do {
		r = parse_item(p, term->key);
		term->item_count++;
	} while (!r && *p->at == ',' && p->at++);
	f->term_count++;
	return r;
}

static int parse(struct parser *p)
{
	int r = 0;

	while (!r) {
		while (*p->at == ' ')
			p->at++;
		if (!*p->at)
			break;
		r = parse_term(p);
	}
	return r;
}

int filter_parse(struct filter **ret, const char *text, struct error *ret_error)
{
	size_t size = text ? strlen(text) : 0;
	struct parser p = {.at = text ? text : "", .error = ret_error};
	int r;

	if (size > TEXT_MAX)
		return error_set(ret_error, -EINVAL,
				 "cannot read filter: %zu bytes: expected at most %d", size,
				 TEXT_MAX);
	/* an item takes no more room than it had, but for the last one's end */
	p.filter = calloc(1, sizeof(*p.filter) + size + 2);
	if (!p.filter)
		return error_set(ret_error, -ENOMEM,
				 "cannot read filter: out of memory: try again later");
	p.out = p.filter->text;
	r = parse(&p);
	if (r < 0)
		filter_free(p.filter);
	else
		*ret = p.filter;
	return r;
}

struct filter *filter_free(struct filter *f)
{
	free(f);
	return NULL;
}

static bool term_matches(const struct term *t, const struct filter_subject *s)
{
	for (size_t i = 0; i < t->item_count; i++)
		if (t->key->matches(&t->items[i], s))
			return !t->negated;
	return t->negated;
}

bool filter_matches(const struct filter *f, const struct filter_subject *subject)
{
	for (size_t i = 0; f && i < f->term_count; i++)
		if (!term_matches(&f->terms[i], subject))
			return false;
	return true;
}

bool filter_needs_edge(const struct filter *f)
{
	for (size_t i = 0; f && i < f->term_count; i++)
		if (f->terms[i].key->of_edge)
			return true;
	return false;
}
