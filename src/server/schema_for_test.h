/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds JSON against the schemas of an OpenAPI 3.1 document. Knows what docs/openapi.yaml uses:
 * $ref, type, enum, required, properties, additionalProperties, unevaluatedProperties, items,
 * minimum, maximum, allOf, anyOf. A keyword it does not know is an error, not a pass.
 */
#pragma once

#include <jansson.h>

#include "base/error.h"

/* A YAML file as JSON; NULL: ret_error says why. */
json_t *schema_load_yaml(const char *path, struct error *ret_error);

/* What "#/a/b~1c" names in document; borrowed; NULL: nothing. */
const json_t *schema_resolve(const json_t *document, const char *reference);

/* 0, or -EINVAL and where the value differs from what it should be. */
int schema_check(const json_t *document, const json_t *schema, const json_t *value,
		 struct error *ret_error);
