/* SPDX-License-Identifier: Apache-2.0 */
/* What commands that run until they are told to end have in common: their signals. */
#pragma once

#include <signal.h>

/* SIGINT, SIGTERM and, unless nohup, SIGHUP: blocked in this thread and those to come, so that only
 * daemon_wait() takes them. *ret: which they are. */
void daemon_block_signals(sigset_t *ret);
void daemon_wait(const sigset_t *ending); /* until one comes */
