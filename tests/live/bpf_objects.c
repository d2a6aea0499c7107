/* SPDX-License-Identifier: Apache-2.0 */
#include "bpf_objects.h"

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(__NR_bpf, command, attr, sizeof(*attr));
}

static bool next_id(int command, uint32_t *id)
{
	union bpf_attr attr = {.start_id = *id};

	if (bpf(command, &attr))
		return false;
	*id = attr.next_id;
	return true;
}

static int open_id(int command, uint32_t id)
{
	union bpf_attr attr = {.prog_id = id}; /* the same place for maps and links */

	return bpf(command, &attr);
}

static bool info_of(int fd, void *info, uint32_t size)
{
	union bpf_attr attr = {.info = {.bpf_fd = (uint32_t)fd,
					.info_len = size,
					.info = (uint64_t)(uintptr_t)info}};
	bool ok = fd >= 0 && bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool prog_name(uint32_t id, char name[16])
{
	struct bpf_prog_info info = {0};

	if (!info_of(open_id(BPF_PROG_GET_FD_BY_ID, id), &info, sizeof(info)))
		return false;
	memcpy(name, info.name, 16);
	return true;
}

static bool map_name(uint32_t id, char name[16])
{
	struct bpf_map_info info = {0};

	if (!info_of(open_id(BPF_MAP_GET_FD_BY_ID, id), &info, sizeof(info)))
		return false;
	memcpy(name, info.name, 16);
	return true;
}

/* A link has no name: its program's. */
static bool link_name(uint32_t id, char name[16])
{
	struct bpf_link_info info = {0};

	return info_of(open_id(BPF_LINK_GET_FD_BY_ID, id), &info, sizeof(info)) &&
	       prog_name(info.prog_id, name);
}

static void collect(struct bpf_objects *o, char kind, int next, bool (*name_of)(uint32_t, char[16]))
{
	uint32_t id = 0;
	char name[16];

	while (next_id(next, &id) && o->count < BPF_OBJECTS_MAX) {
		if (!name_of(id, name) || strncmp(name, "mr_", 3))
			continue;
		o->object[o->count].kind = kind;
		o->object[o->count].id = id;
		memcpy(o->object[o->count++].name, name, 16);
	}
}

void bpf_objects_read(struct bpf_objects *ret)
{
	ret->count = 0;
	collect(ret, 'p', BPF_PROG_GET_NEXT_ID, prog_name);
	collect(ret, 'm', BPF_MAP_GET_NEXT_ID, map_name);
	collect(ret, 'l', BPF_LINK_GET_NEXT_ID, link_name);
}

static bool holds(const struct bpf_objects *o, char kind, uint32_t id)
{
	for (unsigned int i = 0; i < o->count; i++)
		if (o->object[i].kind == kind && o->object[i].id == id)
			return true;
	return false;
}

unsigned int bpf_objects_left(const struct bpf_objects *of, const struct bpf_objects *without)
{
	static struct bpf_objects now;
	unsigned int left = 0;

	bpf_objects_read(&now);
	for (unsigned int i = 0; i < of->count; i++)
		left += !holds(without, of->object[i].kind, of->object[i].id) &&
			holds(&now, of->object[i].kind, of->object[i].id);
	return left;
}
