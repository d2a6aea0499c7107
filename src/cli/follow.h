/* SPDX-License-Identifier: Apache-2.0 */
/* --follow: asks again every second until nobody reads any more. */
#pragma once

#include "base/error.h"
#include "command.h"

/* Prints what is newer than *after, which it moves on; userdata is the caller's. 0 or -errno. */
typedef int (*follow_fn)(const struct arguments *a, void *userdata, double *after,
			 struct error *ret_error);

/* 0 when standard output is closed, else what the first failure gave. -EINVAL with a range. */
int follow_run(const struct arguments *a, follow_fn look, void *userdata, struct error *ret_error);
