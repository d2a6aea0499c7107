/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tokens.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/file.h"

struct tokens {
	struct file_watch file;
	struct digest list[TOKENS_MAX];
	size_t count;
	uint64_t failures;
};

struct reading {
	const char *path;
	struct digest list[TOKENS_MAX];
	size_t count;
	unsigned int line;
};

static int take_token(struct reading *in, const char *token, size_t size, struct error *e)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (token[i] <= ' ' || token[i] > '~')
			return error_set(e, -EINVAL,
					 "cannot use the tokens in %s: line %u holds a space or a "
					 "character that is not printable ASCII",
					 in->path, in->line);
	if (size < TOKEN_LENGTH_MIN || size > TOKEN_LENGTH_MAX)
		return error_set(e, -EINVAL,
				 "cannot use the tokens in %s: the one in line %u has %zu "
				 "characters, expected %d to %d; make one with: openssl rand -hex "
				 "32",
				 in->path, in->line, size, TOKEN_LENGTH_MIN, TOKEN_LENGTH_MAX);
	if (in->count == TOKENS_MAX)
		return error_set(e, -E2BIG,
				 "cannot use the tokens in %s: more than %d; remove old ones",
				 in->path, TOKENS_MAX);
	in->list[in->count++] = digest_of(token, size);
	return 0;
}

static int take_line(struct reading *in, const char *line, size_t size, struct error *e)
{
	in->line++;
	while (size && (line[size - 1] == '\r' || line[size - 1] == ' ' || line[size - 1] == '\t'))
		size--;
	while (size && (*line == ' ' || *line == '\t'))
		line++, size--;
	return !size || *line == '#' ? 0 : take_token(in, line, size, e);
}

static int parse(struct reading *in, const char *text, size_t size, struct error *e)
{
	const char *end = text + size;
	int r = 0;

	while (!r && text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		const char *line = text;

		stop = stop ? stop : end;
		text = stop + 1;
		r = take_line(in, line, (size_t)(stop - line), e);
	}
	if (!r && !in->count)
		r = error_set(e, -ENODATA,
			      "cannot use the tokens in %s: there is none; put one in a line, made "
			      "with: openssl rand -hex 32",
			      in->path);
	return r;
}

static int load(struct tokens *t, struct error *ret_error)
{
	struct reading in = {.path = t->file.path};
	size_t size;
	char *text;
	int r = file_read(&t->file, TOKENS_SIZE_MAX, &text, &size, ret_error);

	if (r < 0)
		return r;
	r = parse(&in, text, size, ret_error);
	explicit_bzero(text, size);
	free(text);
	if (r < 0)
		return r;
	memcpy(t->list, in.list, sizeof(t->list));
	t->count = in.count;
	return 0;
}

int tokens_open(struct tokens **ret, const char *path, struct error *ret_error)
{
	struct tokens *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return error_set(ret_error, -ENOMEM, "cannot read %s: out of memory", path);
	t->file.path = path;
	file_changed(&t->file, 0);
	r = load(t, ret_error);
	if (r < 0) {
		tokens_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct tokens *tokens_free(struct tokens *t)
{
	if (t)
		file_done(&t->file);
	free(t);
	return NULL;
}

void tokens_refresh(struct tokens *t, uint64_t now_ms)
{
	struct error ignored; /* counted: there is nobody to tell */

	if (file_changed(&t->file, now_ms) && load(t, &ignored) < 0) {
		t->failures++;
		file_look_again(&t->file); /* it may have been half written */
	}
}

/* All are compared, so that the time tells nothing. */
bool tokens_have(const struct tokens *t, const struct digest *token)
{
	unsigned int found = 0;
	size_t i;

	for (i = 0; i < t->count; i++)
		found |= digest_equal(&t->list[i], token);
	return found;
}

size_t tokens_count(const struct tokens *t)
{
	return t->count;
}

uint64_t tokens_failures(const struct tokens *t)
{
	return t->failures;
}
