/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata services, played by a small HTTP server on loopback; no other address is ever asked. */
#include "agent/place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
	struct MHD_Daemon *daemon;
	char url[64];
	bool silent, wrong;
	struct MHD_Connection *held;
	unsigned int requests;
} service;

static bool has(struct MHD_Connection *connection, const char *header, const char *value)
{
	const char *v = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, header);

	return v && !strcmp(v, value);
}

/* What each service says to who asks as it wants to be asked; NULL: 401. */
static const char *say(struct MHD_Connection *connection, const char *method, const char *url)
{
	if (!strcmp(url, "/latest/api/token"))
		return !strcmp(method, "PUT") &&
				       has(connection, "X-aws-ec2-metadata-token-ttl-seconds", "60")
			       ? "AQAEAtoken=="
			       : NULL;
	if (!strncmp(url, "/latest/", 8)) {
		if (!has(connection, "X-aws-ec2-metadata-token", "AQAEAtoken=="))
			return NULL;
		return strstr(url, "/region") ? "eu-west-1" : "eu-west-1a";
	}
	if (!strcmp(url, "/computeMetadata/v1/instance/zone"))
		return has(connection, "Metadata-Flavor", "Google")
			       ? "projects/123456/zones/europe-west1-b"
			       : NULL;
	if (!strcmp(url, "/metadata/instance/compute"))
		return has(connection, "Metadata", "true")
			       ? "{\"location\": \"westeurope\", \"zone\": \"2\"}"
			       : NULL;
	return NULL;
}

static enum MHD_Result on_http(void *userdata, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *size, void **request)
{
	const char *text = service.wrong ? "<html>what?</html>" : say(connection, method, url);
	struct MHD_Response *response;
	enum MHD_Result r;

	if (!*request) {
		*request = connection;
		return MHD_YES;
	}
	service.requests++;
	if (service.silent) {
		service.held = connection;
		MHD_suspend_connection(connection);
		return MHD_YES;
	}
	response = MHD_create_response_from_buffer(
		text ? strlen(text) : 0, (void *)(text ? text : ""), MHD_RESPMEM_PERSISTENT);
	r = MHD_queue_response(connection, text ? 200 : 401, response);
	MHD_destroy_response(response);
	return r;
}

static int begin(void **state)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_addr = {htonl(INADDR_LOOPBACK)}};

	memset(&service, 0, sizeof(service));
	service.daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_http,
		NULL, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
	if (!service.daemon)
		return -1;
	snprintf(service.url, sizeof(service.url), "http://127.0.0.1:%u",
		 MHD_get_daemon_info(service.daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	return 0;
}

static int end(void **state)
{
	service.silent = false;
	if (service.held)
		MHD_resume_connection(service.held);
	MHD_stop_daemon(service.daemon);
	return 0;
}

static int find(const char *metadata, const char *dmi, struct place *ret, struct error *ret_error)
{
	const struct place_config config = {
		.metadata = metadata, .base_url = service.url, .dmi = dmi ? dmi : "/nowhere"};

	return place_find(&config, ret, ret_error);
}

static void each_cloud_says_where(void **state)
{
	static const struct {
		const char *provider, *zone, *region;
		unsigned int requests;
	} clouds[] = {{"aws", "eu-west-1a", "eu-west-1", 3},
		      {"gcp", "europe-west1-b", "europe-west1", 1},
		      {"azure", "westeurope-2", "westeurope", 1}};

	for (size_t i = 0; i < 3; i++) {
		struct error error = {""};
		struct place place;

		service.requests = 0;
		if (find(clouds[i].provider, NULL, &place, &error) < 0)
			fail_msg("%s", error.text);
		assert_string_equal(place.zone, clouds[i].zone);
		assert_string_equal(place.region, clouds[i].region);
		assert_string_equal(place.provider, clouds[i].provider);
		assert_int_equal(service.requests, clouds[i].requests);
	}
}

static void write_firmware(const char *dmi, const char *file, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dmi, file);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *detected(const char *dmi)
{
	const struct place_provider *p = place_detect(dmi);

	return p ? p->name : "none";
}

static void the_firmware_says_whom_to_ask(void **state)
{
	char dmi[] = "/tmp/millrace-dmi-XXXXXX", path[128];
	struct error error = {""};
	struct place place;

	assert_non_null(mkdtemp(dmi));
	assert_string_equal(detected(dmi), "none");
	assert_int_equal(find("auto", dmi, &place, &error), 0);
	assert_int_equal(service.requests, 0); /* nobody is asked for nothing */
	assert_string_equal(place.provider, "");
	write_firmware(dmi, "sys_vendor", "Amazon EC2\n");
	assert_string_equal(detected(dmi), "aws");
	assert_int_equal(find(NULL, dmi, &place, &error), 0);
	assert_string_equal(place.zone, "eu-west-1a");
	write_firmware(dmi, "sys_vendor", "Google\n");
	write_firmware(dmi, "product_name", "A laptop\n");
	assert_string_equal(detected(dmi), "none");
	write_firmware(dmi, "product_name", "Google Compute Engine\n");
	assert_string_equal(detected(dmi), "gcp");
	write_firmware(dmi, "sys_vendor", "Microsoft Corporation\n");
	assert_string_equal(detected(dmi), "none"); /* Hyper-V is elsewhere, too */
	write_firmware(dmi, "chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n");
	assert_string_equal(detected(dmi), "azure");
	service.requests = 0;
	assert_int_equal(find("off", dmi, &place, &error), 0);
	assert_int_equal(service.requests, 0);
	for (const char *const *file =
		     (const char *const[]){"sys_vendor", "product_name", "chassis_asset_tag", NULL};
	     *file; file++) {
		snprintf(path, sizeof(path), "%s/%s", dmi, *file);
		unlink(path);
	}
	rmdir(dmi);
}

static void whoever_is_silent_is_left(void **state)
{
	struct timespec before, after;
	struct error error = {""};
	struct place place;
	long ms;

	service.silent = true;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(find("aws", NULL, &place, &error), -EIO);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	assert_true(ms >= PLACE_TIMEOUT_MS - 50 && ms < 10 * PLACE_TIMEOUT_MS);
	assert_non_null(strstr(error.text, "metadata service of aws"));
	assert_string_equal(place.zone, "");
}

static void nonsense_is_refused(void **state)
{
	struct error error = {""};
	struct place place;

	service.wrong = true;
	for (const struct place_provider *p = place_providers; p->name; p++) {
		assert_int_equal(find(p->name, NULL, &place, &error), -EBADMSG);
		assert_non_null(strstr(error.text, "makes no sense"));
		assert_string_equal(place.zone, "");
	}
}

static void parsers_take_names_only(void **state)
{
	static const struct {
		unsigned int provider, step;
		const char *body, *zone, *region; /* zone NULL: refused */
	} bodies[] = {
		{0, 0, "token", "", ""},
		{0, 0, "", NULL, NULL},
		{0, 0, "to\rken: x", "", ""},
		{0, 0, "with space", NULL, NULL},
		{0, 1, "us-east-1f\n", "us-east-1f", ""},
		{0, 1, "US EAST", NULL, NULL},
		{0, 1, "", NULL, NULL},
		{0, 1, "a-name-that-is-longer-than-any-zone-there-is-and-then-some-more-xx", NULL,
		 NULL},
		{0, 2, "us-east-1", "", "us-east-1"},
		{1, 0, "projects/1/zones/us-central1-a", "us-central1-a", "us-central1"},
		{1, 0, "projects/1/zones/", NULL, NULL},
		{1, 0, "projects/1/zones/nodash", NULL, NULL},
		{1, 0, "us-central1-a", NULL, NULL},
		{2, 0, "{\"location\":\"eastus\",\"zone\":\"\"}", "", "eastus"},
		{2, 0, "{\"location\":\"eastus\"}", "", "eastus"},
		{2, 0, "{\"location\":\"eastus\",\"zone\":\"3\"}", "eastus-3", "eastus"},
		{2, 0, "{\"location\":\"East US\"}", NULL, NULL},
		{2, 0, "{\"location\":5}", NULL, NULL},
		{2, 0, "[]", NULL, NULL},
		{2, 0, "", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct place_found found = {.token = ""};
		place_parse_fn parse =
			place_providers[bodies[i].provider].steps[bodies[i].step].parse;
		int r = parse(bodies[i].body, &found);

		if ((r < 0) != !bodies[i].zone)
			fail_msg("\"%s\": %d", bodies[i].body, r);
		if (r < 0)
			continue;
		assert_string_equal(found.place.zone, bodies[i].zone);
		assert_string_equal(found.place.region, bodies[i].region);
	}
}

static void their_names_are_known(void **state)
{
	assert_true(place_knows(NULL) && place_knows("auto") && place_knows("off"));
	assert_true(place_knows("aws") && place_knows("gcp") && place_knows("azure"));
	assert_false(place_knows("") || place_knows("cloud"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_cloud_says_where, begin, end),
		cmocka_unit_test_setup_teardown(the_firmware_says_whom_to_ask, begin, end),
		cmocka_unit_test_setup_teardown(nonsense_is_refused, begin, end),
		cmocka_unit_test(parsers_take_names_only),
		cmocka_unit_test(their_names_are_known),
		cmocka_unit_test_setup_teardown(whoever_is_silent_is_left, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
