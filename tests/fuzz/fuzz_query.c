/* SPDX-License-Identifier: Apache-2.0 */
/* What a stranger on the port sends: query strings, hosts, prefixes, names. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/address.h"
#include "server/listen.h"
#include "server/params.h"
#include "server/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct param_spec specs[] = {
	{"from", PARAM_TIME, .fallback = "-5m"},
	{"step", PARAM_SPAN, .min = 1, .max = 3600000000000},
	{"limit", PARAM_COUNT, .fallback = "1000", .min = 1, .max = 10000},
	{"buckets", PARAM_FLAG, .fallback = "0"},
	{"per", PARAM_CHOICE, .fallback = "range", .choices = "range|window"},
	{"filter", PARAM_TEXT},
	{0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), shown[256];
	static struct params params;
	struct listen_address address;
	struct address_prefix prefix;
	struct error error = {0};

	if (params_parse(&params, specs, text, 1700000000000000000, &error) == 0) {
		if (params_number(&params, "limit") - 1 >= 10000 ||
		    params_number(&params, "buckets") > 1 || params_number(&params, "per") > 1)
			abort();
	} else if (!error.text[0]) {
		abort();
	}
	if (listen_parse(text, &address, &error) == 0)
		listen_is_ours(&address, text);
	address_prefix_parse(&prefix, text);
	text_clean(shown, sizeof(shown), text);
	free(text);
	return 0;
}
