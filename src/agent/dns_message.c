/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/dns_message.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEADER_SIZE    12
#define WIRE_NAME_MAX  255
#define CLASS_INTERNET 1

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, TYPE_SRV = 33, TYPE_OPT = 41 };

#define DNS_FAULT_NAME_OF(id, name, help) [DNS_FAULT_##id] = name,
const char *const dns_fault_names[DNS_FAULT_COUNT] = {[DNS_FAULT_NONE] = "",
						      DNS_FAULTS(DNS_FAULT_NAME_OF)};

/* A name without compression, in lower case: labels with their lengths in front, as on the wire. */
struct raw_name {
	uint8_t bytes[WIRE_NAME_MAX + 1];
	size_t size;
};

struct reader {
	const uint8_t *data;
	size_t size, at;
	bool cut;
	enum dns_fault fault; /* the first stays */
};

struct record {
	struct raw_name owner;
	uint16_t type, class, data_size;
	uint32_t ttl_s;
	size_t data_at;
};

/* A name that stands for the question or for a target. */
struct alias {
	struct raw_name name;
	uint32_t ttl_s;
	uint8_t stands_for; /* as dns_address.name */
};

struct parser {
	struct reader reader;
	struct dns_message *message;
	size_t records_at;
	unsigned int answers, others;
	struct alias aliases[2 * DNS_TARGETS_MAX];
	size_t alias_count;
};

static bool fail(struct reader *r, enum dns_fault fault)
{
	if (!r->fault)
		r->fault = fault;
	return false;
}

/* The end of what we hold: a fault, unless it is we who hold too little. */
static bool ended(struct reader *r)
{
	return fail(r, DNS_FAULT_SHORT);
}

static bool read_u16(struct reader *r, uint16_t *ret)
{
	if (r->size - r->at < 2)
		return ended(r);
	*ret = (uint16_t)(r->data[r->at] << 8 | r->data[r->at + 1]);
	r->at += 2;
	return true;
}

static bool read_u32(struct reader *r, uint32_t *ret)
{
	uint16_t high, low;

	if (!read_u16(r, &high) || !read_u16(r, &low))
		return false;
	*ret = (uint32_t)high << 16 | low;
	return true;
}

static bool append_label(struct reader *r, struct raw_name *name, size_t at, size_t size)
{
	if (name->size + 1 + size > WIRE_NAME_MAX - 1)
		return fail(r, DNS_FAULT_NAME);
	name->bytes[name->size++] = (uint8_t)size;
	for (size_t i = 0; i < size; i++)
		name->bytes[name->size++] = (uint8_t)tolower(r->data[at + i]);
	return true;
}

/* RFC 1035, 4.1.4. Where a pointer leads must lie before everything that was read of this name, so
 * each step goes back and the walk ends. */
static bool read_name(struct reader *r, struct raw_name *ret)
{
	size_t at = r->at, limit = r->at, end = 0;

	ret->size = 0;
	for (;;) {
		uint8_t kind;

		if (at >= r->size)
			return ended(r);
		kind = r->data[at] >> 6;
		if (kind == 0 && r->data[at] == 0)
			break;
		if (kind == 0) {
			size_t size = r->data[at];

			if (r->size - at - 1 < size)
				return ended(r);
			if (!append_label(r, ret, at + 1, size))
				return false;
			at += 1 + size;
		} else if (kind == 3) {
			size_t to;

			if (r->size - at < 2)
				return ended(r);
			to = (size_t)(r->data[at] & 0x3f) << 8 | r->data[at + 1];
			if (!end)
				end = at + 2;
			if (to >= limit)
				return fail(r, DNS_FAULT_LOOP);
			at = limit = to;
		} else {
			return fail(r, DNS_FAULT_LABEL);
		}
	}
	r->at = end ? end : at + 1;
	return true;
}

static size_t escape(uint8_t c, char text[8])
{
	if (c == '.' || c == '\\')
		return (size_t)sprintf(text, "\\%c", c);
	if (c > ' ' && c < 0x7f) {
		text[0] = (char)c;
		return 1;
	}
	return (size_t)sprintf(text, "\\%03u", c);
}

/* As people write it (RFC 4343): labels by dots, what does not print as \DDD. False: too long. */
static bool name_to_text(const struct raw_name *name, char ret[DNS_NAME_MAX + 1])
{
	size_t used = 0;

	for (size_t at = 0; at < name->size; at += 1 + name->bytes[at]) {
		if (at && used < DNS_NAME_MAX)
			ret[used++] = '.';
		for (size_t i = 1; i <= name->bytes[at]; i++) {
			char text[8];
			size_t size = escape(name->bytes[at + i], text);

			if (used + size > DNS_NAME_MAX)
				return false;
			memcpy(ret + used, text, size);
			used += size;
		}
	}
	if (!name->size)
		ret[used++] = '.';
	ret[used] = '\0';
	return true;
}

static bool same_name(const struct raw_name *a, const struct raw_name *b)
{
	return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

static struct alias *find_alias(struct parser *p, const struct raw_name *name)
{
	for (size_t i = 0; i < p->alias_count; i++)
		if (same_name(&p->aliases[i].name, name))
			return &p->aliases[i];
	return NULL;
}

static bool add_alias(struct parser *p, const struct raw_name *name, uint32_t ttl_s,
		      uint8_t stands_for)
{
	if (p->alias_count == sizeof(p->aliases) / sizeof(*p->aliases) || find_alias(p, name))
		return false;
	p->aliases[p->alias_count++] = (struct alias){*name, ttl_s, stands_for};
	return true;
}

static bool read_record(struct reader *r, struct record *ret)
{
	if (!read_name(r, &ret->owner) || !read_u16(r, &ret->type) || !read_u16(r, &ret->class) ||
	    !read_u32(r, &ret->ttl_s) || !read_u16(r, &ret->data_size))
		return false;
	if (r->size - r->at < ret->data_size)
		return ended(r);
	ret->data_at = r->at;
	r->at += ret->data_size;
	if (ret->ttl_s > INT32_MAX) /* RFC 2181, 8 */
		ret->ttl_s = 0;
	return true;
}

/* A name inside of a record's data, which it must fill. */
static bool read_data_name(struct reader *r, const struct record *record, size_t skip,
			   struct raw_name *ret)
{
	struct reader inside = *r;

	if (record->data_size < skip + 1)
		return fail(r, DNS_FAULT_DATA);
	inside.at = record->data_at + skip;
	if (!read_name(&inside, ret))
		return fail(r, inside.fault);
	if (inside.at != record->data_at + record->data_size)
		return fail(r, DNS_FAULT_DATA);
	return true;
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What is asked for, or an alias of it, is an alias of something else. */
static bool follow_alias(struct parser *p, const struct record *record)
{
	const struct alias *owner = find_alias(p, &record->owner);
	struct raw_name to;

	if (!read_data_name(&p->reader, record, 0, &to))
		return false;
	return owner && add_alias(p, &to, lesser(owner->ttl_s, record->ttl_s), owner->stands_for);
}

static bool follow_service(struct parser *p, const struct record *record)
{
	struct dns_message *m = p->message;
	struct raw_name to;

	if (!read_data_name(&p->reader, record, 6, &to) || !find_alias(p, &record->owner) ||
	    m->target_count == DNS_TARGETS_MAX)
		return false;
	if (!name_to_text(&to, m->targets[m->target_count]))
		return fail(&p->reader, DNS_FAULT_NAME);
	if (!add_alias(p, &to, record->ttl_s, (uint8_t)(m->target_count + 1)))
		return false;
	m->target_count++;
	return true;
}

static bool take_address(struct parser *p, const struct record *record)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const struct alias *owner = find_alias(p, &record->owner);
	size_t size = record->type == TYPE_A ? 4 : 16;
	struct dns_message *m = p->message;
	struct dns_address *a;

	if (record->data_size != size)
		return fail(&p->reader, DNS_FAULT_DATA);
	if (!owner || m->address_count == DNS_ADDRESSES_MAX)
		return false;
	a = &m->addresses[m->address_count++];
	memcpy(a->address, mapped, sizeof(mapped));
	memcpy(a->address + 16 - size, p->reader.data + record->data_at, size);
	a->ttl_s = lesser(owner->ttl_s, record->ttl_s);
	a->name = owner->stands_for;
	return false;
}

static void take_options(struct parser *p, const struct record *record)
{
	p->message->rcode |= (uint16_t)(record->ttl_s >> 24) << 4;
}

/* True: there is one alias more, so records seen before may matter now. */
static bool follow_record(struct parser *p, const struct record *record)
{
	if (record->class != CLASS_INTERNET)
		return false;
	if (record->type == TYPE_CNAME)
		return follow_alias(p, record);
	return record->type == TYPE_SRV && follow_service(p, record);
}

static bool take_record(struct parser *p, const struct record *record)
{
	if (record->type == TYPE_OPT)
		take_options(p, record);
	else if (record->class == CLASS_INTERNET &&
		 (record->type == TYPE_A || record->type == TYPE_AAAA))
		take_address(p, record);
	return false;
}

/* Goes through all records once; true if any told something new. */
static bool walk(struct parser *p, bool (*see)(struct parser *, const struct record *))
{
	bool news = false;
	struct record record;

	p->reader.at = p->records_at;
	for (unsigned int i = 0; i < p->answers + p->others && !p->reader.fault; i++) {
		if (i == DNS_RECORDS_MAX)
			return fail(&p->reader, DNS_FAULT_COUNTS);
		if (read_record(&p->reader, &record))
			news |= see(p, &record);
	}
	return news;
}

/* What is missing because we did not copy it is not the sender's fault. */
static void forgive_cut(struct reader *r)
{
	if (r->cut && r->fault == DNS_FAULT_SHORT)
		r->fault = DNS_FAULT_NONE;
}

/* Aliases may come in any order, so they are gone through until none is new; each round finds at
 * least one of a bounded number. */
static void read_records(struct parser *p)
{
	while (walk(p, follow_record))
		forgive_cut(&p->reader);
	forgive_cut(&p->reader);
	walk(p, take_record);
	forgive_cut(&p->reader);
	if (p->reader.fault)
		p->message->address_count = p->message->target_count = 0;
}

static bool read_question(struct parser *p)
{
	struct dns_message *m = p->message;
	struct raw_name name;
	uint16_t class;

	if (!read_name(&p->reader, &name) || !read_u16(&p->reader, &m->question_type) ||
	    !read_u16(&p->reader, &class))
		return false;
	if (!name_to_text(&name, m->question)) {
		m->question[0] = '\0';
		return fail(&p->reader, DNS_FAULT_NAME);
	}
	p->records_at = p->reader.at;
	return add_alias(p, &name, UINT32_MAX, 0);
}

static bool read_header(struct parser *p, uint16_t *ret_questions)
{
	struct dns_message *m = p->message;
	struct reader *r = &p->reader;
	uint16_t flags, answers, authorities, more;

	if (!read_u16(r, &m->id) || !read_u16(r, &flags) || !read_u16(r, ret_questions) ||
	    !read_u16(r, &answers) || !read_u16(r, &authorities) || !read_u16(r, &more))
		return false;
	m->is_answer = flags >> 15;
	m->opcode = flags >> 11 & 15;
	m->truncated = flags >> 9 & 1;
	m->rcode = flags & 15;
	p->answers = answers;
	p->others = (unsigned int)authorities + more;
	return true;
}

int dns_message_parse(struct dns_message *ret, const void *data, size_t size, size_t length)
{
	struct parser p = {.reader = {.data = data, .size = size, .cut = size < length},
			   .message = ret};
	uint16_t questions;

	memset(ret, 0, sizeof(*ret));
	ret->cut = p.reader.cut;
	if (!read_header(&p, &questions))
		return -EBADMSG;
	if (questions != 1)
		fail(&p.reader, DNS_FAULT_COUNTS);
	else if (read_question(&p) && ret->is_answer)
		read_records(&p);
	forgive_cut(&p.reader);
	ret->fault = p.reader.fault;
	return 0;
}

const char *dns_message_name(const struct dns_message *m, const struct dns_address *a)
{
	return a->name && a->name <= m->target_count ? m->targets[a->name - 1] : m->question;
}
