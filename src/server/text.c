/* SPDX-License-Identifier: Apache-2.0 */
#include "server/text.h"

#include <string.h>

#include "base/emit.h"

static const char replacement[] = "\xef\xbf\xbd";

static bool is_control(const char *s, size_t length)
{
	unsigned char first = s[0], second = length == 2 ? s[1] : 0;

	if (length == 1)
		return first < 0x20 || first == 0x7f;
	return first == 0xc2 && second < 0xa0;
}

bool text_clean(char *out, size_t size, const char *in)
{
	size_t rest = in ? strlen(in) : 0, used = 0;
	bool changed = false;

	while (rest) {
		size_t length = emit_utf8_length(in, rest), copied = length;
		const char *from = in;

		if (!length || is_control(in, length)) {
			from = replacement;
			copied = sizeof(replacement) - 1;
			length = length ? length : 1;
			changed = true;
		}
		if (used + copied >= size) {
			changed = true;
			break;
		}
		memcpy(out + used, from, copied);
		used += copied;
		in += length;
		rest -= length;
	}
	out[used] = '\0';
	return changed;
}
