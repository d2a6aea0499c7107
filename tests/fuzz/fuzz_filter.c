/* SPDX-License-Identifier: Apache-2.0 */
/* Filters as a stranger writes them: parsed or refused with a reason; matching never goes wrong. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct filter_subject subjects[] = {
	{{"wrk", "wrk", "", "node-1", "zone-a", {[10] = 0xff, 0xff, 127, 0, 0, 1}, true},
	 {"nginx", "nginx-worker", "3f2a99", "", "", {[10] = 0xff, 0xff, 10, 1, 2, 3}, true},
	 80,
	 "tcp",
	 "external",
	 "sidecar"},
	{{"~other", "", "", "", "", {0}, false},
	 {"a b", "a,b:c", "", "n", "z", {[15] = 1}, true},
	 0,
	 "udp",
	 "unknown",
	 ""},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct filter *f = NULL;
	struct error error = {""};

	if (filter_parse(&f, text, &error) < 0) {
		if (f || !error.text[0])
			abort();
	} else {
		for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++)
			filter_matches(f, &subjects[i]);
	}
	filter_free(f);
	free(text);
	return 0;
}
