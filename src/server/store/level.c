/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/level.h"

#define KIND(id, name, width, keep) [LEVEL_##id] = {name, width, keep},
const struct store_level_kind store_level_kinds[LEVEL_COUNT] = {STORE_LEVELS(KIND)};
