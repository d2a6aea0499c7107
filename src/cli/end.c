/* SPDX-License-Identifier: Apache-2.0 */
#include "end.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"

static int cell_name(struct table *t, const json_t *end)
{
	const char *workload = field_text(end, "workload"), *process = field_text(end, "process");
	bool tell_process = *process && strcmp(process, workload);
	char *text;

	if (asprintf(&text, tell_process ? "%s (%s)" : "%s%s", workload,
		     tell_process ? process : "") < 0)
		return -ENOMEM;
	table_cell(t, *text ? text : "-");
	free(text);
	return 0;
}

static int cell_address(struct table *t, const json_t *end, int port, const char *suffix)
{
	const char *address = field_text(end, "address");
	bool bracket = port >= 0 && strchr(address, ':');
	char tail[16] = "", *text;

	if (port >= 0)
		snprintf(tail, sizeof(tail), ":%d%s", port, suffix);
	if (asprintf(&text, "%s%s%s%s", bracket ? "[" : "", *address ? address : "*",
		     bracket ? "]" : "", tail) < 0)
		return -ENOMEM;
	table_cell(t, text);
	free(text);
	return 0;
}

int end_cells(struct table *t, const json_t *end, int port, const char *suffix)
{
	int r = cell_name(t, end);

	return r < 0 ? r : cell_address(t, end, port, suffix);
}
