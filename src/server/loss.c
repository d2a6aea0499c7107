/* SPDX-License-Identifier: Apache-2.0 */
#include "server/loss.h"

static const struct {
	const char *name, *help;
	bool counts;
} losses[LOSS_COUNT] = {
#define WIRE_ROW(id, name, help)           [WIRE_LOSS_##id] = {name, help, true},
#define SERVER_ROW(id, name, counts, help) [LOSS_##id] = {name, help, counts},
	WIRE_LOSSES(WIRE_ROW) SERVER_LOSSES(SERVER_ROW)};

const char *loss_name(unsigned int cause)
{
	return cause < LOSS_COUNT ? losses[cause].name : "unknown";
}

const char *loss_help(unsigned int cause)
{
	return cause < LOSS_COUNT ? losses[cause].help : "";
}

bool loss_counts(unsigned int cause)
{
	/* what others said wrongly, names that nobody used, figures that came late: none is missing
	 */
	if (cause == WIRE_LOSS_DNS_BAD || cause == WIRE_LOSS_DNS_NAMES_FULL ||
	    cause == WIRE_LOSS_LATE_WINDOWS)
		return false;
	return cause < LOSS_COUNT && losses[cause].counts;
}
