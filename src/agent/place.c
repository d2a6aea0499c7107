/* SPDX-License-Identifier: Apache-2.0 */
/* See place.h. */
#include "agent/place.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BODY_SIZE_MAX 16384

struct body {
	char data[BODY_SIZE_MAX + 1];
	size_t size;
};

bool place_knows(const char *metadata)
{
	if (!metadata || !strcmp(metadata, "auto") || !strcmp(metadata, "off"))
		return true;
	for (const struct place_provider *p = place_providers; p->name; p++)
		if (!strcmp(p->name, metadata))
			return true;
	return false;
}

/* --- whose machine this is ----------------------------------------------------------------------
 */

static bool begins(const char *dmi, const char *file, const char *with)
{
	char path[512], line[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dmi, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	return !strncmp(line, with, strlen(with));
}

const struct place_provider *place_detect(const char *dmi)
{
	for (const struct place_provider *p = place_providers; p->name; p++) {
		bool is = true;

		for (size_t i = 0; i < 2 && p->firmware[i].file; i++)
			is = is && begins(dmi ? dmi : "/sys/class/dmi/id", p->firmware[i].file,
					  p->firmware[i].begins);
		if (is)
			return p;
	}
	return NULL;
}

/* --- asking -------------------------------------------------------------------------------------
 */

static size_t on_data(char *data, size_t one, size_t size, void *userdata)
{
	struct body *b = userdata;

	if (size > BODY_SIZE_MAX - b->size)
		return 0;
	memcpy(b->data + b->size, data, size);
	b->size += size;
	b->data[b->size] = '\0';
	return size;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* No proxy, no redirect: what answers is on this machine's own link. */
static void configure(CURL *curl, const char *url, const struct place_step *step, long timeout_ms,
		      struct body *body)
{
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, step->method);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1l);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
}

static int perform(CURL *curl, const char *header, struct error *ret_error)
{
	struct curl_slist *headers = curl_slist_append(NULL, header);
	CURLcode code;
	long status = 0;

	if (!headers)
		return error_set(ret_error, -ENOMEM, "out of memory");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	if (code)
		return error_set(ret_error, -EIO, "%s", curl_easy_strerror(code));
	if (status != 200)
		return error_set(ret_error, -EIO, "it answers %ld", status);
	return 0;
}

static int ask(CURL *curl, const char *base_url, const struct place_step *step, long timeout_ms,
	       struct place_found *found, struct error *ret_error)
{
	char url[512], header[600];
	struct body body = {.size = 0};
	int r;

	if (timeout_ms <= 0)
		return error_set(ret_error, -ETIMEDOUT, "it takes too long");
	snprintf(url, sizeof(url), "%s%s", base_url, step->path);
	if (strstr(step->header, "%s"))
		snprintf(header, sizeof(header), "%.*s%s",
			 (int)(strstr(step->header, "%s") - step->header), step->header,
			 found->token);
	else
		snprintf(header, sizeof(header), "%s", step->header);
	configure(curl, url, step, timeout_ms, &body);
	r = perform(curl, header, ret_error);
	if (!r && step->parse(body.data, found) < 0)
		r = error_set(ret_error, -EBADMSG, "it says what makes no sense to %s", step->path);
	return r;
}

static int ask_all(const struct place_provider *p, const char *base_url, struct place_found *found,
		   struct error *ret_error)
{
	long until_ms = now_ms() + PLACE_TIMEOUT_MS;
	CURL *curl = curl_easy_init();
	int r = curl ? 0 : error_set(ret_error, -ENOMEM, "out of memory");

	for (size_t i = 0; !r && i < PLACE_STEPS_MAX && p->steps[i].method; i++)
		r = ask(curl, base_url ? base_url : p->base_url, &p->steps[i], until_ms - now_ms(),
			found, ret_error);
	curl_easy_cleanup(curl);
	return r;
}

static const struct place_provider *find(const struct place_config *config)
{
	const char *metadata = config->metadata ? config->metadata : "auto";

	if (!strcmp(metadata, "auto"))
		return place_detect(config->dmi);
	for (const struct place_provider *p = place_providers; p->name; p++)
		if (!strcmp(p->name, metadata))
			return p;
	return NULL;
}

int place_find(const struct place_config *config, struct place *ret, struct error *ret_error)
{
	const struct place_provider *p = find(config);
	struct place_found found = {.token = ""};
	struct error why = {""};
	int r;

	*ret = (struct place){.zone = ""};
	if (!p)
		return 0;
	r = ask_all(p, config->base_url, &found, &why);
	if (r < 0)
		return error_set(ret_error, r,
				 "cannot learn the zone from the metadata service of %s: %s; give "
				 "--zone and --region, or --metadata off",
				 p->name, why.text);
	*ret = found.place;
	snprintf(ret->provider, sizeof(ret->provider), "%s", p->name);
	return 0;
}
