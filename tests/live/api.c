/* SPDX-License-Identifier: Apache-2.0 */
/* The public API, asked as any client would. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "millrace.h"

#define ANSWER_MAX (256u << 20)

struct body {
	char *text;
	size_t size;
};

static size_t body_add(char *data, size_t one, size_t count, void *userdata)
{
	struct body *b = userdata;
	char *grown = b->size + count > ANSWER_MAX ? NULL : realloc(b->text, b->size + count + 1);

	if (!grown)
		return 0;
	memcpy(grown + b->size, data, one * count);
	b->text = grown;
	b->size += one * count;
	b->text[b->size] = 0;
	return one * count;
}

static CURL *request(const char *url, struct body *body, struct curl_slist *headers)
{
	CURL *c = curl_easy_init();

	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, body_add);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 120L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	return c;
}

int api_get(const struct millrace *m, const char *path, const char *host, json_t **ret_json)
{
	struct curl_slist *headers = NULL;
	struct body body = {0};
	char url[1024], line[256];
	long status = -1;
	CURL *c;

	snprintf(url, sizeof(url), "%s://127.0.0.1:%u%s", m->ca ? "https" : "http", m->port, path);
	snprintf(line, sizeof(line), "Host: %s", host ? host : "");
	if (host)
		headers = curl_slist_append(NULL, line);
	snprintf(line, sizeof(line), "Authorization: Bearer %s", m->token ? m->token : "");
	if (m->token)
		headers = curl_slist_append(headers, line);
	c = request(url, &body, headers);
	if (m->ca)
		curl_easy_setopt(c, CURLOPT_CAINFO, m->ca);
	if (curl_easy_perform(c) == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (ret_json)
		*ret_json = body.text ? json_loadb(body.text, body.size, 0, NULL) : NULL;
	free(body.text);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	return (int)status;
}

const json_t *api_at(const json_t *object, const char *path)
{
	char copy[128], *end;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *key = strtok_r(copy, ".", &end); key && object; key = strtok_r(NULL, ".", &end))
		object = json_object_get(object, key);
	return object;
}

const char *api_string(const json_t *object, const char *path)
{
	const char *s = json_string_value(api_at(object, path));

	return s ? s : "";
}

#define COUNTER_NAME(id, name) name,
static const char *const counter_names[] = {MR_COUNTERS(COUNTER_NAME)};

/* "attempted" is under "connections", "failed_refused" under "connections.failed"; the rest is
 * flat. */
long long api_counter(const json_t *row, enum mr_counter counter)
{
	const char *name = counter_names[counter];
	const json_t *connections = json_object_get(row, "connections");
	const json_t *value = json_object_get(row, name);

	if (!value)
		value = json_object_get(connections, name);
	if (!value && strncmp(name, "failed_", 7) == 0)
		value = json_object_get(json_object_get(connections, "failed"), name + 7);
	return json_is_number(value) ? (long long)json_number_value(value) : -1;
}

json_t *api_ends(const struct millrace *m)
{
	json_t *answer = NULL;
	char path[128];

	snprintf(path, sizeof(path), "/api/v1/flows?view=ends&limit=100000&from=%.0f&to=now",
		 m->started - 60);
	if (api_get(m, path, NULL, &answer) != 200) {
		json_decref(answer);
		return NULL;
	}
	return answer;
}

void ends_sum(const json_t *answer, int role, const char *process, uint16_t port, struct ends *ret)
{
	const char *end = role == LOAD_CLIENT ? "client" : "server";
	json_t *row;
	size_t i;

	*ret = (struct ends){0};
	json_array_foreach (json_object_get(answer, "flows"), i, row) {
		const char *own = api_string(json_object_get(row, end), "process");

		if (strcmp(api_string(row, "seen_by"), end) || (process && strcmp(own, process)))
			continue;
		if (port && json_integer_value(api_at(row, "server.port")) != port)
			continue;
		ret->rows++;
		for (int c = 0; c < MR_COUNTER_COUNT; c++) {
			long long value = api_counter(row, (enum mr_counter)c);

			ret->counter[c] += value > 0 ? (uint64_t)value : 0;
		}
	}
}

/* Name of the node with this id. */
static const char *node_name(const json_t *graph, const char *id)
{
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(graph, "nodes"), i, node)
		if (strcmp(api_string(node, "id"), id) == 0)
			return api_string(node, "name");
	return "";
}

const json_t *api_edge(const struct millrace *m, const char *client, const char *server,
		       uint16_t port, json_t **ret_graph)
{
	char path[128];
	json_t *edge;
	size_t i;

	*ret_graph = NULL;
	snprintf(path, sizeof(path), "/api/v1/graph?from=%.0f&to=now", m->started - 60);
	if (api_get(m, path, NULL, ret_graph) != 200)
		return NULL;
	json_array_foreach (json_object_get(*ret_graph, "edges"), i, edge) {
		if (port && json_integer_value(json_object_get(edge, "port")) != port)
			continue;
		if (client && strcmp(node_name(*ret_graph, api_string(edge, "client")), client))
			continue;
		if (server && strcmp(node_name(*ret_graph, api_string(edge, "server")), server))
			continue;
		return edge;
	}
	return NULL;
}

uint64_t api_losses(const struct millrace *m, char *text, size_t size)
{
	json_t *graph = NULL, *value;
	const char *name;
	uint64_t sum = 0;
	char path[128];
	size_t used = 0;

	text[0] = 0;
	snprintf(path, sizeof(path), "/api/v1/graph?from=%.0f&to=now", m->started - 60);
	api_get(m, path, NULL, &graph);
	json_object_foreach (json_object_get(json_object_get(graph, "completeness"), "lost"), name,
			     value) {
		uint64_t n = (uint64_t)json_number_value(value);

		sum += strcmp(name, "late_windows") && strcmp(name, "recursion") ? n : 0;
		if (n && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s %llu ", name,
						 (unsigned long long)n);
	}
	json_decref(graph);
	return sum;
}
