/* SPDX-License-Identifier: Apache-2.0 */
#include "field.h"

#include <string.h>

json_t *field_get(const json_t *object, const char *path)
{
	for (int depth = 0; depth < FIELD_DEPTH_MAX && json_is_object(object); depth++) {
		size_t length = strcspn(path, ".");
		char key[64];

		if (length >= sizeof(key))
			return NULL;
		memcpy(key, path, length);
		key[length] = '\0';
		object = json_object_get(object, key);
		if (!path[length])
			return (json_t *)object;
		path += length + 1;
	}
	return NULL;
}

double field_number(const json_t *object, const char *path)
{
	return json_number_value(field_get(object, path));
}

int field_port(const json_t *object, const char *path)
{
	double value = field_number(object, path);

	return value >= 0 && value <= UINT16_MAX ? (int)value : 0;
}

uint64_t field_count(const json_t *object, const char *path)
{
	double value = field_number(object, path);

	return value >= 0 && value < 0x1p63 ? (uint64_t)value : 0;
}

const char *field_text(const json_t *object, const char *path)
{
	const char *text = json_string_value(field_get(object, path));

	return text ? text : "";
}

const json_t *field_array(const json_t *object, const char *path)
{
	const json_t *array = field_get(object, path);

	return json_is_array(array) ? array : NULL;
}
