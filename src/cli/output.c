/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_MIN 80

struct table_style output_style(void)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	struct table_style style = {0};
	struct winsize size = {0};

	if (!isatty(STDOUT_FILENO))
		return style;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		style.width = size.ws_col > WIDTH_MIN ? size.ws_col : WIDTH_MIN;
	style.colour = (!no_colour || !*no_colour) && term && *term;
	return style;
}

int output_result(int r, const char *server, struct error *ret_error)
{
	if (r == -EPROTO)
		return error_set(ret_error, r,
				 "cannot read the answer of %s: fields are missing; is a millrace "
				 "server of this version there?",
				 server);
	if (r < 0)
		return error_set(ret_error, r,
				 "cannot show the answer of %s: out of memory; ask "
				 "for less with --filter",
				 server);
	return 0;
}
