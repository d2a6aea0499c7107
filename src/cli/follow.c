/* SPDX-License-Identifier: Apache-2.0 */
/* See follow.h. */
#include "follow.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

int follow_run(const struct arguments *a, follow_fn look, void *userdata, struct error *ret_error)
{
	double after = 0;
	int r;

	if (a->from || a->to)
		return error_set(
			ret_error, -EINVAL,
			"cannot follow a range: --follow begins now; leave out --from and --to");
	for (;;) {
		r = look(a, userdata, &after, ret_error);
		if (r || fflush(stdout))
			return r;
		sleep(1);
	}
}
