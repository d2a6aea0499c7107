/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of the API's answers, by path: field_number(edge, "connections.failed.refused").
 *
 * What is missing, null or of another type reads as 0, "" or an empty array: an older or newer
 * server, or one that sends garbage, makes poorer output, never a crash.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#define FIELD_DEPTH_MAX 8

json_t *field_get(const json_t *object, const char *path);         /* borrowed; NULL: not there */
double field_number(const json_t *object, const char *path);       /* 0: not there */
int field_port(const json_t *object, const char *path);            /* 0: not there, or no port */
uint64_t field_count(const json_t *object, const char *path);      /* 0: not there, or no count */
const char *field_text(const json_t *object, const char *path);    /* borrowed; "": not there */
const json_t *field_array(const json_t *object, const char *path); /* borrowed; NULL: not there */
