/* SPDX-License-Identifier: Apache-2.0 */
/* --data: the folder is made while root still may, and opened when root is given up. */
#pragma once

#include "command.h"
#include "server/server.h"

#define DATA_DEFAULT "/var/lib/millrace" /* of `server` */

int data_make(const char *folder, struct error *ret_error); /* NULL: nothing to do */
int data_open(struct server *server, const struct arguments *a, const char *folder,
	      struct error *ret_error); /* NULL: nothing to do */
