/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of every shape; load_table.c says which is which. */
#pragma once

#include "load.h"

#define SHAPE_END(name)                                                                            \
	void shape_##name##_client(struct peer *p);                                                \
	void shape_##name##_server(struct peer *p)

/* shapes_before.c: open before the agent */
SHAPE_END(before);
SHAPE_END(before_half);
SHAPE_END(before_reset);
SHAPE_END(before_queue);

/* shapes_plain.c: clean ends */
SHAPE_END(talk);
SHAPE_END(empty);
SHAPE_END(fire);
SHAPE_END(half_client);
SHAPE_END(half_server);
SHAPE_END(duplex);

/* shapes_long.c: through many windows */
SHAPE_END(drip);
SHAPE_END(stay);

/* shapes_abort.c: resets by either side */
SHAPE_END(rst_client);
SHAPE_END(rst_server);
SHAPE_END(rst_flight);
SHAPE_END(rst_flight_server);
SHAPE_END(unread_client);
SHAPE_END(unread_server);
SHAPE_END(fin_queued);
SHAPE_END(reconnect);
SHAPE_END(rst_at_once);
SHAPE_END(late_answer);

/* shapes_queue.c: what nobody has accepted */
SHAPE_END(closed_early);
SHAPE_END(reset_early);
SHAPE_END(listener_closed);

/* shapes_process.c: whose socket is it */
SHAPE_END(reuseport);
SHAPE_END(forked);
SHAPE_END(pass_client);
SHAPE_END(pass_server);
SHAPE_END(exit);

/* shapes_special.c: other ways to open and to send */
SHAPE_END(sendfile);
SHAPE_END(zerocopy);
SHAPE_END(fastopen);
SHAPE_END(mptcp);
SHAPE_END(deferred);
SHAPE_END(urgent);
SHAPE_END(simultaneous);
SHAPE_END(crossed);
SHAPE_END(self);

/* shapes_blocked.c: what is refused, dropped or given up */
SHAPE_END(drop_out);
SHAPE_END(lost);
SHAPE_END(refused);
SHAPE_END(aborted);
