/* SPDX-License-Identifier: Apache-2.0 */
#include "server/schema_for_test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

/* --- YAML to JSON ---------------------------------------------------------------------------- */

/* Unquoted scalars by YAML's JSON schema; the rest is text. */
static json_t *scalar_to_json(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;
	char *end;
	double number;

	if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || !*text)
		return json_string(text);
	if (!strcmp(text, "true") || !strcmp(text, "false"))
		return json_boolean(*text == 't');
	number = strtod(text, &end);
	if (*end)
		return json_string(text);
	return strpbrk(text, ".eE") ? json_real(number) : json_integer((json_int_t)number);
}

static json_t *node_to_json(yaml_document_t *document, const yaml_node_t *node)
{
	json_t *result;

	if (node->type == YAML_SCALAR_NODE)
		return scalar_to_json(node);
	if (node->type == YAML_SEQUENCE_NODE) {
		result = json_array();
		for (yaml_node_item_t *i = node->data.sequence.items.start;
		     i < node->data.sequence.items.top; i++)
			json_array_append_new(
				result,
				node_to_json(document, yaml_document_get_node(document, *i)));
		return result;
	}
	result = json_object();
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
	     p++) {
		yaml_node_t *key = yaml_document_get_node(document, p->key);
		yaml_node_t *value = yaml_document_get_node(document, p->value);

		json_object_set_new(result, (const char *)key->data.scalar.value,
				    node_to_json(document, value));
	}
	return result;
}

json_t *schema_load_yaml(const char *path, struct error *ret_error)
{
	FILE *file = fopen(path, "re");
	yaml_document_t document;
	yaml_parser_t parser;
	json_t *result = NULL;

	if (!file) {
		error_set(ret_error, -errno, "cannot open %s: %s", path, strerror(errno));
		return NULL;
	}
	yaml_parser_initialize(&parser);
	yaml_parser_set_input_file(&parser, file);
	if (yaml_parser_load(&parser, &document)) {
		result = node_to_json(&document, yaml_document_get_root_node(&document));
		yaml_document_delete(&document);
	} else {
		error_set(ret_error, -EINVAL, "%s:%zu: %s", path, parser.problem_mark.line + 1,
			  parser.problem);
	}
	yaml_parser_delete(&parser);
	fclose(file);
	return result;
}

/* --- checks ---------------------------------------------------------------------------------- */

struct check {
	const json_t *document;
	struct error *error;
	char path[512]; /* of the value, "edges[0].port" */
};

static int differs(struct check *c, const char *what)
{
	return error_set(c->error, -EINVAL, "%s: %s", *c->path ? c->path : "(root)", what);
}

const json_t *schema_resolve(const json_t *document, const char *reference)
{
	char name[200];
	size_t i;

	if (strncmp(reference, "#/", 2))
		return NULL;
	for (reference += 2; document; reference++) {
		for (i = 0; *reference && *reference != '/' && i < sizeof(name) - 1; reference++) {
			name[i++] = *reference;
			if (reference[0] == '~' && reference[1]) /* ~1 is '/', ~0 is '~' */
				name[i - 1] = *++reference == '1' ? '/' : '~';
		}
		name[i] = '\0';
		document = json_object_get(document, name);
		if (!*reference)
			break;
	}
	return document;
}

static const json_t *follow(const struct check *c, const json_t *schema)
{
	const char *reference = json_string_value(json_object_get(schema, "$ref"));

	return reference ? schema_resolve(c->document, reference) : schema;
}

static bool is_type(const json_t *value, const char *type)
{
	if (!strcmp(type, "object"))
		return json_is_object(value);
	if (!strcmp(type, "array"))
		return json_is_array(value);
	if (!strcmp(type, "string"))
		return json_is_string(value);
	if (!strcmp(type, "integer"))
		return json_is_integer(value);
	if (!strcmp(type, "number"))
		return json_is_number(value);
	if (!strcmp(type, "boolean"))
		return json_is_boolean(value);
	return !strcmp(type, "null") && json_is_null(value);
}

static int check_type(struct check *c, const json_t *types, const json_t *value)
{
	size_t i;

	if (json_is_string(types))
		return is_type(value, json_string_value(types)) ? 0 : differs(c, "wrong type");
	for (i = 0; i < json_array_size(types); i++)
		if (is_type(value, json_string_value(json_array_get(types, i))))
			return 0;
	return differs(c, "wrong type");
}

static int check_enum(struct check *c, const json_t *choices, const json_t *value)
{
	size_t i;

	for (i = 0; i < json_array_size(choices); i++)
		if (json_equal(json_array_get(choices, i), value))
			return 0;
	return differs(c, "not one of the enum");
}

static int check_required(struct check *c, const json_t *names, const json_t *value)
{
	char what[200];
	size_t i;

	for (i = 0; i < json_array_size(names) && json_is_object(value); i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (json_object_get(value, name))
			continue;
		snprintf(what, sizeof(what), "'%s' is missing", name);
		return differs(c, what);
	}
	return 0;
}

static int check(struct check *c, const json_t *schema, const json_t *value);

/* Checks a part of the value; the path says which. */
static int check_part(struct check *c, const char *where, const json_t *schema, const json_t *value)
{
	size_t length = strlen(c->path);
	int r;

	snprintf(c->path + length, sizeof(c->path) - length, "%s", where);
	r = check(c, schema, value);
	c->path[length] = '\0';
	return r;
}

/* Whether a schema, or one it is made of, has a property of that name. */
static bool knows_property(const struct check *c, const json_t *schema, const char *name)
{
	const json_t *parts;
	size_t i;

	schema = follow(c, schema);
	if (json_object_get(json_object_get(schema, "properties"), name))
		return true;
	parts = json_object_get(schema, "allOf");
	for (i = 0; i < json_array_size(parts); i++)
		if (knows_property(c, json_array_get(parts, i), name))
			return true;
	return false;
}

static int check_properties(struct check *c, const json_t *properties, const json_t *value)
{
	const char *name;
	json_t *schema;
	char where[200];
	int r;

	json_object_foreach ((json_t *)properties, name, schema) {
		const json_t *part = json_object_get(value, name);

		snprintf(where, sizeof(where), ".%s", name);
		r = part ? check_part(c, where, schema, part) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* additionalProperties, unevaluatedProperties: false, or the schema of those not named. */
static int check_others(struct check *c, const json_t *schema, const json_t *rule,
			const json_t *value)
{
	const char *name;
	json_t *part;
	char where[200];
	int r;

	json_object_foreach ((json_t *)value, name, part) {
		if (knows_property(c, schema, name))
			continue;
		snprintf(where, sizeof(where), ".%s", name);
		if (json_is_object(rule)) {
			r = check_part(c, where, rule, part);
		} else {
			snprintf(where, sizeof(where), "'%s' is not in the schema", name);
			r = differs(c, where);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_items(struct check *c, const json_t *schema, const json_t *value)
{
	char where[40];
	size_t i;
	int r = 0;

	for (i = 0; i < json_array_size(value) && !r; i++) {
		snprintf(where, sizeof(where), "[%zu]", i);
		r = check_part(c, where, schema, json_array_get(value, i));
	}
	return r;
}

static int check_all_of(struct check *c, const json_t *schemas, const json_t *value)
{
	size_t i;
	int r = 0;

	for (i = 0; i < json_array_size(schemas) && !r; i++)
		r = check(c, json_array_get(schemas, i), value);
	return r;
}

static int check_any_of(struct check *c, const json_t *schemas, const json_t *value)
{
	size_t i;
	int r = -EINVAL;

	for (i = 0; i < json_array_size(schemas) && r; i++)
		r = check(c, json_array_get(schemas, i), value);
	return r; /* the last one's error */
}

static int check_bound(struct check *c, const json_t *bound, const json_t *value, int sign)
{
	if (!json_is_number(value))
		return 0;
	if (sign * json_number_value(value) < sign * json_number_value(bound))
		return differs(c, sign > 0 ? "below the minimum" : "above the maximum");
	return 0;
}

static int check_keyword(struct check *c, const json_t *schema, const char *keyword,
			 const json_t *rule, const json_t *value)
{
	if (!strcmp(keyword, "type"))
		return check_type(c, rule, value);
	if (!strcmp(keyword, "enum"))
		return check_enum(c, rule, value);
	if (!strcmp(keyword, "required"))
		return check_required(c, rule, value);
	if (!strcmp(keyword, "properties"))
		return check_properties(c, rule, value);
	if (!strcmp(keyword, "additionalProperties") || !strcmp(keyword, "unevaluatedProperties"))
		return check_others(c, schema, rule, value);
	if (!strcmp(keyword, "items"))
		return check_items(c, rule, value);
	if (!strcmp(keyword, "allOf"))
		return check_all_of(c, rule, value);
	if (!strcmp(keyword, "anyOf"))
		return check_any_of(c, rule, value);
	if (!strcmp(keyword, "minimum"))
		return check_bound(c, rule, value, 1);
	if (!strcmp(keyword, "maximum"))
		return check_bound(c, rule, value, -1);
	return strcmp(keyword, "description") ? differs(c, keyword) : 0;
}

static int check(struct check *c, const json_t *schema, const json_t *value)
{
	const char *keyword;
	json_t *rule;
	int r;

	schema = follow(c, schema);
	if (!json_is_object(schema))
		return differs(c, "no such schema");
	json_object_foreach ((json_t *)schema, keyword, rule) {
		r = check_keyword(c, schema, keyword, rule, value);
		if (r < 0)
			return r;
	}
	return 0;
}

int schema_check(const json_t *document, const json_t *schema, const json_t *value,
		 struct error *ret_error)
{
	struct check c = {.document = document, .error = ret_error};

	return check(&c, schema, value);
}
