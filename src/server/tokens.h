/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bearer tokens out of a file: one a line, blank lines and lines that begin with # aside. All of
 * them are valid, so that they can be exchanged without a gap: add the new one, move everybody,
 * remove the old one. The file is read again when it has changed, at most once a second; one that
 * cannot be read or is no good then leaves the tokens as they were, and is counted.
 *
 * Only digests are kept, and compared in constant time. Bounds: TOKENS_MAX, TOKENS_SIZE_MAX.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "server/digest.h"

#define TOKENS_MAX        256
#define TOKENS_SIZE_MAX   65536 /* of the file */
#define TOKEN_LENGTH_MIN  16
#define TOKEN_LENGTH_MAX  512

struct tokens;

int tokens_open(struct tokens **ret, const char *path, struct error *ret_error);
struct tokens *tokens_free(struct tokens *t); /* always NULL; accepts NULL */

void tokens_refresh(struct tokens *t, uint64_t now_ms); /* of any clock that does not step */
bool tokens_have(const struct tokens *t, const struct digest *token);
size_t tokens_count(const struct tokens *t);
uint64_t tokens_failures(const struct tokens *t); /* times it could not be read again */
