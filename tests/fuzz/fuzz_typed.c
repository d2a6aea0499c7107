/* SPDX-License-Identifier: Apache-2.0 */
/* What people type and what processes call themselves: read or refused, and harmless when shown. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/human.h"
#include "cli/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(const char *text)
{
	char *clean = human_clean(text);
	int width, fits = human_width(clean) / 2;

	for (const char *c = clean; *c; c++)
		if ((uint8_t)*c < 0x20 || *c == 0x7f)
			abort();
	if (human_fit(clean, fits, &width) > strlen(clean) || width > fits)
		abort();
	free(clean);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *server = NULL;
	uint64_t ns;
	uint32_t count;
	double percent;
	struct why_pair pair;

	if (human_parse_duration(text, &ns) == 0 && ns == 0)
		abort();
	if (human_parse_count(text, &count) == 0 && count == 0)
		abort();
	if (human_parse_percent(text, &percent) == 0 && !(percent > 0 && percent <= 100))
		abort();
	if (why_split_server(text, &server, &pair) == 0)
		free(server);
	human_set_unicode(size & 1);
	check_clean(text);
	free(text);
	return 0;
}
