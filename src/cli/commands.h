/* SPDX-License-Identifier: Apache-2.0 */
/* The table of subcommands, in the order of --help; ends with a row without name. */
#pragma once

#include "command.h"

extern const struct command commands[];
