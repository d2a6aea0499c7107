/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clouds whose machines can say where they are.
 *
 * Sources: AWS "Use the Instance Metadata Service" (version 2: a token first, by PUT); Google Cloud
 * "View and query VM metadata"; Azure "Instance Metadata Service". All at a link-local address.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "agent/place.h"

#define LINK_LOCAL "http://169.254.169.254"

/* A name as clouds give them: lower case, digits, dashes. */
static int take_name(const char *s, size_t length, char *ret, size_t size)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	if (!length || length >= size || strspn(s, good) < length)
		return -EBADMSG;
	memcpy(ret, s, length);
	ret[length] = '\0';
	return 0;
}

static size_t line_length(const char *body)
{
	return strcspn(body, "\r\n");
}

/* --- AWS ----------------------------------------------------------------------------------------
 */

static int aws_token(const char *body, struct place_found *found)
{
	size_t length = line_length(body);

	if (!length || length >= sizeof(found->token))
		return -EBADMSG;
	for (size_t i = 0; i < length; i++)
		if (body[i] <= ' ' || body[i] > '~')
			return -EBADMSG;
	memcpy(found->token, body, length);
	found->token[length] = '\0';
	return 0;
}

static int aws_zone(const char *body, struct place_found *found)
{
	return take_name(body, line_length(body), found->place.zone, sizeof(found->place.zone));
}

static int aws_region(const char *body, struct place_found *found)
{
	return take_name(body, line_length(body), found->place.region, sizeof(found->place.region));
}

/* --- Google Cloud -------------------------------------------------------------------------------
 */

/* "projects/123456/zones/europe-west1-b" */
static int gcp_zone(const char *body, struct place_found *found)
{
	static const char before[] = "/zones/";
	const char *zone = strstr(body, before), *end;
	int r;

	if (!zone)
		return -EBADMSG;
	zone += strlen(before);
	r = take_name(zone, line_length(zone), found->place.zone, sizeof(found->place.zone));
	end = strrchr(found->place.zone, '-');
	if (r < 0 || !end)
		return -EBADMSG;
	return take_name(found->place.zone, (size_t)(end - found->place.zone), found->place.region,
			 sizeof(found->place.region));
}

/* --- Azure --------------------------------------------------------------------------------------
 */

/* {"location": "westeurope", "zone": "1"}; zones are numbers of a region, and not all machines are
 * in one. */
static int azure_compute(const char *body, struct place_found *found)
{
	json_t *json = json_loads(body, 0, NULL);
	const char *region = json_string_value(json_object_get(json, "location"));
	const char *zone = json_string_value(json_object_get(json, "zone"));
	char name[128];
	int r = region ? take_name(region, strlen(region), found->place.region,
				   sizeof(found->place.region))
		       : -EBADMSG;

	if (!r && zone && *zone) {
		snprintf(name, sizeof(name), "%.60s-%.20s", region, zone);
		r = take_name(name, strlen(name), found->place.zone, sizeof(found->place.zone));
	}
	json_decref(json);
	return r;
}

const struct place_provider place_providers[] = {
	{.name = "aws",
	 .firmware = {{"sys_vendor", "Amazon EC2"}},
	 .base_url = LINK_LOCAL,
	 .steps = {{"PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60",
		    aws_token},
		   {"GET", "/latest/meta-data/placement/availability-zone",
		    "X-aws-ec2-metadata-token: %s", aws_zone},
		   {"GET", "/latest/meta-data/placement/region", "X-aws-ec2-metadata-token: %s",
		    aws_region}}},
	{.name = "gcp",
	 .firmware = {{"sys_vendor", "Google"}, {"product_name", "Google Compute Engine"}},
	 .base_url = LINK_LOCAL,
	 .steps = {{"GET", "/computeMetadata/v1/instance/zone", "Metadata-Flavor: Google",
		    gcp_zone}}},
	{.name = "azure",
	 .firmware = {{"sys_vendor", "Microsoft Corporation"},
		      {"chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"}},
	 .base_url = LINK_LOCAL,
	 .steps = {{"GET", "/metadata/instance/compute?api-version=2021-02-01&format=json",
		    "Metadata: true", azure_compute}}},
	{.name = NULL},
};
