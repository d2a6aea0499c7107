/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where this machine stands: zone and region, as its cloud's metadata service has them.
 *
 * A provider is a row of a table: how its machines are recognized without asking anybody, which
 * requests to make, how to read the answers. Nobody is asked unless the machine's firmware says
 * that it is that provider's (or the user does), and all requests together get PLACE_TIMEOUT_MS.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define PLACE_TIMEOUT_MS 1000
#define PLACE_STEPS_MAX  3

struct place {
	char zone[64], region[64]; /* "": not known */
	char provider[16];         /* who said so; "": nobody was asked */
};

struct place_config {
	const char *metadata; /* "auto" (NULL), "off", or a provider's name */
	const char *base_url; /* of the service; NULL: the provider's own. For tests */
	const char *dmi; /* where the firmware's names are; NULL: /sys/class/dmi/id. For tests */
};

/* What has been learnt so far, by a provider's parsers. */
struct place_found {
	struct place place;
	char token[512];
};

/* Takes a body, which ends with a NUL. -EBADMSG: it is not what was expected. */
typedef int (*place_parse_fn)(const char *body, struct place_found *found);

struct place_step {
	const char *method, *path;
	const char *header; /* %s: the token */
	place_parse_fn parse;
};

struct place_provider {
	const char *name;
	struct {
		const char *file, *begins; /* of the firmware's names; all must be so */
	} firmware[2];
	const char *base_url;
	struct place_step steps[PLACE_STEPS_MAX];
};

extern const struct place_provider place_providers[]; /* ends with one without a name */

/* Whether "auto", "off" or a provider's name; NULL is. */
bool place_knows(const char *metadata);

/* The provider whose machine this is; NULL: none that is known. */
const struct place_provider *place_detect(const char *dmi);

/* *ret is written in any case. 0 also where there is nobody to ask; else why the one to be asked
 * did not answer, in one line. Takes PLACE_TIMEOUT_MS at most. */
int place_find(const struct place_config *config, struct place *ret, struct error *ret_error);
