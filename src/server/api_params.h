/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of each route, beside its handler: what api.c's table refers to. */
#pragma once

#include "server/params.h"

extern const struct param_spec api_graph_params[];
extern const struct param_spec api_flows_params[];
extern const struct param_spec api_events_params[];
extern const struct param_spec api_connections_params[];
extern const struct param_spec api_series_params[];
extern const struct param_spec api_stream_params[];
extern const struct param_spec api_verify_params[];
