/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page: the files that web/ builds, inside the program. A route per file.
 *
 * The policy is as strict as there is: code, style and data from this server alone, nothing inline,
 * nothing evaluated, no frame around it. web/ is written to live with that.
 */
#pragma once

#include "server/http_file.h"

extern const struct http_file page_files[]; /* built by web/build.mjs; ends with a NULL path */

/* Answers with the file of that path. */
void page_reply(struct http_request *r, const char *path);
