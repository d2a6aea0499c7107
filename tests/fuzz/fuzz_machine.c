/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent reads from the machine: cgroup files and paths, command lines, kernel counters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cgroup_path.h"
#include "agent/process_name.h"
#include "agent/snmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each kind of interpreter reads its options in its own way. */
static const char *const comms[] = {"python3", "node", "perl",   "ruby",       "php",
				    "bash",    "java", "dotnet", "MainThread", "systemd-network"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), path[CGROUP_PATH_MAX + 1];
	struct cgroup_identity identity;
	char name[PROCESS_NAME_MAX + 1];
	struct process_stat stat;
	struct snmp kernel;

	cgroup_path_of_file((const char *)data, size, path);
	cgroup_path_identify(path, &identity);
	cgroup_path_of_file_v2((const char *)data, size, path);
	cgroup_path_identify(text, &identity);
	if (strlen(identity.container) >= sizeof(identity.container) ||
	    strlen(identity.unit) >= sizeof(identity.unit))
		abort();
	for (size_t i = 0; i < sizeof(comms) / sizeof(comms[0]); i++) {
		process_name_of(comms[i], (const char *)data, size, name);
		if (strlen(name) > PROCESS_NAME_MAX)
			abort();
		/* a name is comm, or stands in the command line as it is */
		if (strcmp(name, comms[i]) != 0 && !memmem(data, size, name, strlen(name)))
			abort();
	}
	process_stat_parse(text, &stat);
	snmp_parse(text, text, &kernel);
	free(text);
	return 0;
}
