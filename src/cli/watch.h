/* SPDX-License-Identifier: Apache-2.0 */
/* What `up` and `agent` have in common: this machine is watched. */
#pragma once

#include "agent/agent.h"
#include "command.h"

/* What the options say, without anybody to send to. -EINVAL: they make no sense. */
int watch_configure(const struct arguments *a, struct agent_config *ret, struct error *ret_error);
int watch_check_rights(struct error *ret_error); /* -EPERM: programs cannot be loaded */
void watch_keep_memory_small(void);

/* Zone and region: as given, else as the cloud says (with a zone nobody is asked). Once root is
 * given up, before the agent starts. That who was asked did not answer is a line in *ret_error, and
 * no failure. *ret_line: "zone eu-west-1a, region eu-west-1 (as aws says)". */
void watch_find_place(const struct arguments *a, struct agent *agent, char ret_line[200],
		      struct error *ret_error);
