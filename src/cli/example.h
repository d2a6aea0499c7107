/* SPDX-License-Identifier: Apache-2.0 */
/* A graph as the API answers, for tests: a web server, its data base, a client that nobody answers
 * and one with a hostile name. */
#pragma once

#include <jansson.h>

#define EXAMPLE_HOSTILE "e\\u001b[2Jv\\u202eil\\\"\\\\"

#define EXAMPLE_GRAPH                                                                              \
	"{\"from\": 1000.0, \"to\": 1300.0, \"group\": \"workload\", \"nodes\": ["                 \
	"{\"id\": \"service/web\", \"kind\": \"service\", \"name\": \"web\", \"nodes\": [\"h\"],"  \
	" \"listeners\": [{\"transport\": \"tcp\", \"port\": 80}, {\"transport\": \"tcp\","        \
	" \"port\": 443}, {\"transport\": \"tcp\", \"port\": 80}], \"health\": \"ok\"},"           \
	"{\"id\": \"service/db\", \"kind\": \"service\", \"name\": \"db\", \"nodes\": [\"h\"],"    \
	" \"listeners\": [{\"transport\": \"tcp\", \"port\": 5432, \"address\": \"127.0.0.1\", "   \
	"\"queue\": 3,"                                                                            \
	" \"queue_max\": 128, \"drops\": 7}], \"health\": \"ok\"},"                                \
	"{\"id\": \"process/curl\", \"kind\": \"process\", \"name\": \"curl\", \"nodes\": [],"     \
	" \"listeners\": [], \"health\": \"ok\"},"                                                 \
	"{\"id\": \"process/evil\", \"kind\": \"process\", \"name\": \"" EXAMPLE_HOSTILE "\","     \
	" \"nodes\": [], \"listeners\": [], \"health\": \"ok\"},"                                  \
	"{\"id\": \"external/10.1.1.1\", \"kind\": \"external\", \"name\": \"10.1.1.1\","          \
	" \"nodes\": [], \"listeners\": [], \"health\": \"ok\"}], \"edges\": ["                    \
	"{\"client\": \"service/web\", \"server\": \"service/db\", \"port\": 5432,"                \
	" \"health\": \"ok\", \"first_seen\": 1060.0, \"last_seen\": 1299.0,"                      \
	" \"bytes_to_server\": 3200, \"bytes_to_client\": 136000000,"                              \
	" \"segments_to_server\": 100, \"segments_to_client\": 900,"                               \
	" \"retransmits_to_server\": 5, \"retransmits_to_client\": 95,"                            \
	" \"limited_us_to_client\": {\"busy\": 1000000, \"receive_window\": 400000,"               \
	" \"send_buffer\": 1000},"                                                                 \
	" \"connections\": {\"attempted\": 12, \"opened\": 12, \"closed\": 9, \"active\": 3,"      \
	" \"pending\": 0, \"failed\": {\"refused\": 0}}, \"rtt_us\": {\"count\": 20,"              \
	" \"p50\": 85, \"p95\": 120, \"max\": 1500}, \"server_view\": {"                           \
	" \"retransmits_to_client\": 95, \"limited_us_to_client\": {\"busy\": 1000000,"            \
	" \"receive_window\": 400000, \"send_buffer\": 1000}}},"                                   \
	"{\"client\": \"process/curl\", \"server\": \"service/web\", \"port\": 81,"                \
	" \"health\": \"failing\", \"first_seen\": 1290.0, \"last_seen\": 1300.0,"                 \
	" \"bytes_to_server\": 0, \"bytes_to_client\": 0, \"connections\": {\"attempted\": 5,"     \
	" \"opened\": 0, \"failed\": {\"refused\": 4, \"aborted\": 1}}},"                          \
	"{\"client\": \"process/curl\", \"server\": \"external/10.1.1.1\", \"port\": 443,"         \
	" \"health\": \"failing\", \"connections\": {\"attempted\": 3, \"opened\": 0,"             \
	" \"pending\": 1, \"failed\": {\"timed_out\": 2}}},"                                       \
	"{\"client\": \"process/evil\", \"server\": \"service/web\", \"port\": 80,"                \
	" \"health\": \"ok\", \"first_seen\": 1060.0, \"last_seen\": 0.0,"                         \
	" \"adopted_bytes_to_server\": 2000000, \"connections\": {"                                \
	" \"attempted\": 2, \"opened\": 1, \"adopted\": 1, \"active\": 1, \"failed\": "            \
	"{\"refused\": 1}}},"                                                                      \
	"{\"client\": \"nobody/knows\", \"server\": \"service/web\", \"port\": 80}]}"

static inline json_t *example_graph(void)
{
	return json_loads(EXAMPLE_GRAPH, 0, NULL);
}
