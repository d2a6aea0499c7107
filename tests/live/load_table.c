/* SPDX-License-Identifier: Apache-2.0 */
/* The mix: every shape, how often it occurs in full, and how large it gets. */
#include <sys/socket.h>

#include "shapes.h"

#define BOTH(name)   shape_##name##_client, shape_##name##_server
#define CLIENT(name) shape_##name##_client, NULL
#define KB           1024u

/* clang-format off */
const struct shape load_shapes[] = {
	/* name             ends                  connections  size      family    flags */
	{"short4",          BOTH(talk),                  6000, 2 * KB},
	{"short6",          BOTH(talk),                  3000, 2 * KB,   AF_INET6},
	{"mapped",          BOTH(talk),                  1500, 8 * KB,   AF_INET6, SHAPE_MAPPED},
	{"loopback4",       BOTH(talk),                   600, 64 * KB,  0,        SHAPE_LOOPBACK},
	{"loopback6",       BOTH(half_client),            300, 64 * KB,  AF_INET6, SHAPE_LOOPBACK},
	{"long4",           BOTH(talk),                   200, LOAD_CONN_MAX},
	{"long6",           BOTH(talk),                   150, LOAD_CONN_MAX, AF_INET6},
	{"duplex",          BOTH(duplex),                 150, LOAD_CONN_MAX},
	{"empty",           BOTH(empty),                 1000, 1},
	{"fire",            BOTH(fire),                  1000, 256 * KB},
	{"half_client",     BOTH(half_client),           1000, 16 * KB},
	{"half_server",     BOTH(half_server),           1000, 16 * KB},
	{"drip",            BOTH(drip),                   400, 1},
	{"before",          BOTH(before),                 100, 64 * KB,  0,        SHAPE_BEFORE},
	{"before_half",     BOTH(before_half),             60, 64 * KB,  0,        SHAPE_BEFORE},
	{"before_reset",    BOTH(before_reset),            60, 64 * KB,  AF_INET6, SHAPE_BEFORE},
	{"before_queue",    BOTH(before_queue),            60, 16 * KB,  0,        SHAPE_BEFORE},
	{"rst_client",      BOTH(rst_client),             800, 16 * KB},
	{"rst_server",      BOTH(rst_server),             800, 16 * KB,  AF_INET6},
	{"cut_client",      BOTH(rst_flight),             300, LOAD_CONN_MAX},
	{"cut_server",      BOTH(rst_flight_server),      300, LOAD_CONN_MAX},
	{"unread_client",   BOTH(unread_client),          500, 16 * KB},
	{"unread_server",   BOTH(unread_server),          500, 16 * KB},
	{"fin_queued",      BOTH(fin_queued),             150, 1},
	{"reconnect",       BOTH(reconnect),              800, 16 * KB},
	{"rst_at_once",     BOTH(rst_at_once),            300, 1},
	{"late_answer",     BOTH(late_answer),            200, 4 * KB},
	{"closed_early",    BOTH(closed_early),           800, 8 * KB},
	{"reset_early",     BOTH(reset_early),            600, 8 * KB},
	{"listener_closed", BOTH(listener_closed),        800, 8 * KB},
	{"simultaneous",    BOTH(simultaneous),           150, 16 * KB,  0,        SHAPE_NFT},
	{"crossed",         BOTH(crossed),                300, 16 * KB},
	{"self",            CLIENT(self),                  50, 16 * KB,  0,        SHAPE_LOOPBACK},
	{"sendfile",        BOTH(sendfile),               300, 256 * KB},
	{"zerocopy",        BOTH(zerocopy),               300, 256 * KB},
	{"fastopen",        BOTH(fastopen),               600, 16 * KB},
	{"mptcp",           BOTH(mptcp),                  300, 64 * KB,  0,        SHAPE_MPTCP},
	{"deferred",        BOTH(deferred),               300, 16 * KB},
	{"urgent",          BOTH(urgent),                 300, 16 * KB},
	{"reuseport",       BOTH(reuseport),              900, 8 * KB,   0,        SHAPE_REUSEPORT},
	{"forked",          BOTH(forked),                 900, 8 * KB},
	{"pass_client",     BOTH(pass_client),            300, 8 * KB},
	{"pass_server",     BOTH(pass_server),            300, 8 * KB},
	{"exit",            BOTH(exit),                   200, 8 * KB},
	{"drop_out",        BOTH(drop_out),               100, 4 * KB,   0,        SHAPE_NFT},
	{"lost",            BOTH(lost),                   100, 4 * KB,   0,        SHAPE_NFT},
	{"refused",         CLIENT(refused),              500, 1},
	{"stay",            BOTH(stay),                    40, 16 * KB,  0,        SHAPE_ALONE},
	{"aborted",         CLIENT(aborted),              200, 1,        0,        SHAPE_NFT},
};
/* clang-format on */

const size_t load_shape_count = sizeof(load_shapes) / sizeof(*load_shapes);
_Static_assert(sizeof(load_shapes) / sizeof(*load_shapes) <= LOAD_SHAPES_MAX, "room for outcomes");
