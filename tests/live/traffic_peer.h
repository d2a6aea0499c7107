/* SPDX-License-Identifier: Apache-2.0 */
/* The two processes of traffic.h. */
#pragma once

#include "traffic.h"

__attribute__((noreturn)) void traffic_client_run(struct traffic *t);
__attribute__((noreturn)) void traffic_server_run(struct traffic *t);
