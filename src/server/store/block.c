/* SPDX-License-Identifier: Apache-2.0 */
/* See block.h. */
#include "server/store/block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define FORMAT     1
#define ZSTD_LEVEL 1

struct block_zip {
	ZSTD_CCtx *out;
	ZSTD_DCtx *in;
	struct row_writer plain;
	uint8_t *packed; /* owned */
	size_t capacity;
};

struct block_zip *block_zip_new(void)
{
	struct block_zip *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->out = ZSTD_createCCtx();
	z->in = ZSTD_createDCtx();
	if (!z->out || !z->in)
		return block_zip_free(z);
	ZSTD_CCtx_setParameter(z->out, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(z->out, ZSTD_c_checksumFlag, 1);
	return z;
}

struct block_zip *block_zip_free(struct block_zip *z)
{
	if (!z)
		return NULL;
	ZSTD_freeCCtx(z->out);
	ZSTD_freeDCtx(z->in);
	free(z->plain.data);
	free(z->packed);
	free(z);
	return NULL;
}

/* --- reading -------------------------------------------------------------------------------- */

static int unzip(struct block_zip *z, const uint8_t *packed, size_t size, struct block *ret)
{
	unsigned long long plain = ZSTD_getFrameContentSize(packed, size);
	size_t r;

	if (plain > BLOCK_BYTES_MAX) /* errors are large numbers */
		return -EUCLEAN;
	ret->data = malloc((size_t)plain + 1);
	if (!ret->data)
		return -ENOMEM;
	r = ZSTD_decompressDCtx(z->in, ret->data, (size_t)plain, packed, size);
	ret->size = r;
	return ZSTD_isError(r) ? -EUCLEAN : 0;
}

/* The checksum held, so it is what a millrace wrote. */
static int read_head(struct block *b)
{
	struct row_reader r = {b->data, b->data + b->size, 0};
	uint64_t losses = row_read_number(&r), cause, rows;

	while (losses--) {
		cause = row_read_number(&r);
		if (cause >= BLOCK_CAUSES_MAX || r.at >= r.end)
			return -EUCLEAN;
		b->loss[cause] += row_read_number(&r);
	}
	rows = row_read_number(&r);
	b->rows = (uint32_t)rows;
	b->flows = r.at;
	for (uint64_t i = 0; i < rows && r.at < r.end; i++)
		row_read_number(&r);
	b->figures = r.at;
	return rows <= b->size && r.at <= r.end ? 0 : -EUCLEAN;
}

int block_unpack(struct block_zip *z, const void *packed, size_t size, struct block *ret)
{
	const uint8_t *bytes = packed;
	struct block b = {0};
	int r = size > 1 && bytes[0] == FORMAT ? 0 : -EUCLEAN;

	if (!r)
		r = unzip(z, bytes + 1, size - 1, &b);
	if (!r)
		r = read_head(&b);
	if (r < 0) {
		block_done(&b);
		return r;
	}
	*ret = b;
	return 0;
}

void block_done(struct block *b)
{
	free(b->data);
	b->data = NULL;
}

void block_flows(const struct block *b, uint64_t *ret)
{
	struct row_reader r = {b->flows, b->figures, 0};
	uint64_t flow = 0;

	for (uint32_t i = 0; i < b->rows; i++)
		ret[i] = flow += row_read_number(&r);
}

/* --- writing -------------------------------------------------------------------------------- */

void block_begin(struct block_builder *b)
{
	struct row_writer flows = b->flows, figures = b->figures;

	flows.size = figures.size = 0;
	*b = (struct block_builder){.flows = flows, .figures = figures};
}

void block_builder_done(struct block_builder *b)
{
	free(b->flows.data);
	free(b->figures.data);
	*b = (struct block_builder){0};
}

static int add_flow(struct block_builder *b, uint64_t flow)
{
	int r = row_write_number(&b->flows, flow - b->flow_before);

	b->flow_before = flow;
	b->rows += !r;
	return r;
}

/* The large ones as a rule are clear still. */
void whole_sums_clear(struct whole_sums *w)
{
	if (w->rtt_us.count)
		w->rtt_us = (struct histogram){0};
	if (w->connect_us.count)
		w->connect_us = (struct histogram){0};
	if (w->drops.used)
		w->drops = (struct drops){0};
	w->dns = (struct wire_dns){0};
	w->sums = (struct sums){.rtt_us = &w->rtt_us,
				.connect_us = &w->connect_us,
				.dns = &w->dns,
				.drops = &w->drops};
}

int block_add(struct block_builder *b, uint64_t flow, const struct sums *s)
{
	const struct row_source source = sums_source(s);
	int r = row_write_sums(&b->figures, &source);

	return r ? r : add_flow(b, flow);
}

int block_add_figures(struct block_builder *b, uint64_t flow, const uint8_t *figures, size_t size)
{
	int r = row_write_bytes(&b->figures, figures, size);

	return r ? r : add_flow(b, flow);
}

static int write_plain(struct row_writer *w, const struct block_builder *b)
{
	uint64_t used = 0;
	int r;

	w->size = 0;
	for (unsigned int i = 0; i < BLOCK_CAUSES_MAX; i++)
		used += b->loss[i] != 0;
	r = row_write_number(w, used);
	for (unsigned int i = 0; !r && i < BLOCK_CAUSES_MAX; i++) {
		if (!b->loss[i])
			continue;
		r = row_write_number(w, i);
		if (!r)
			r = row_write_number(w, b->loss[i]);
	}
	if (!r)
		r = row_write_number(w, b->rows);
	if (!r)
		r = row_write_bytes(w, b->flows.data, b->flows.size);
	return r ? r : row_write_bytes(w, b->figures.data, b->figures.size);
}

static int reserve(struct block_zip *z, size_t size)
{
	uint8_t *packed;

	if (z->capacity >= size)
		return 0;
	packed = realloc(z->packed, size);
	if (!packed)
		return -ENOMEM;
	z->packed = packed;
	z->capacity = size;
	return 0;
}

int block_pack(struct block_zip *z, const struct block_builder *b, const uint8_t **ret,
	       size_t *ret_size)
{
	int r = write_plain(&z->plain, b);
	size_t size;

	if (!r && z->plain.size > BLOCK_BYTES_MAX)
		r = -E2BIG;
	if (!r)
		r = reserve(z, 1 + ZSTD_compressBound(z->plain.size));
	if (r < 0)
		return r;
	z->packed[0] = FORMAT;
	size = ZSTD_compress2(z->out, z->packed + 1, z->capacity - 1, z->plain.data, z->plain.size);
	if (ZSTD_isError(size))
		return -ENOMEM;
	*ret = z->packed;
	*ret_size = size + 1;
	return 0;
}

/* --- merging -------------------------------------------------------------------------------- */

struct cursor {
	struct row_reader flows, figures;
	uint64_t flow;
	uint32_t left; /* rows, with this one */
};

static void advance(struct cursor *c)
{
	if (--c->left)
		c->flow += row_read_number(&c->flows);
}

void block_view(const struct block_builder *b, struct block *ret)
{
	*ret = (struct block){.rows = b->rows, .flows = b->flows.data, .figures = b->figures.data};
	memcpy(ret->loss, b->loss, sizeof(ret->loss));
}

/* Rows are counted, so no end is looked at. */
static void start(struct cursor *c, const struct block *b)
{
	*c = (struct cursor){.flows = {b->flows}, .figures = {b->figures}, .left = b->rows};
	if (c->left)
		c->flow = row_read_number(&c->flows);
}

/* The smallest flow that any stands at; false: all are at their end. */
static bool next_flow(const struct cursor *cursors, size_t count, uint64_t *ret)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (!cursors[i].left || (any && cursors[i].flow >= *ret))
			continue;
		*ret = cursors[i].flow;
		any = true;
	}
	return any;
}

static int merge_rows(struct cursor *cursors, size_t count, struct block_builder *into,
		      block_row_fn each, void *userdata)
{
	struct whole_sums whole = {0};
	uint64_t flow = 0;
	int r = 0;

	while (!r && next_flow(cursors, count, &flow)) {
		whole_sums_clear(&whole);
		for (size_t i = 0; i < count; i++) {
			if (!cursors[i].left || cursors[i].flow != flow)
				continue;
			row_add(&cursors[i].figures, &whole.sums, NULL);
			advance(&cursors[i]);
		}
		r = into ? block_add(into, flow, &whole.sums) : 0;
		if (!r && each)
			r = each(userdata, flow, &whole.sums);
	}
	return r;
}

int block_merge(struct block *const *blocks, size_t count, struct block_builder *into,
		block_row_fn each, void *userdata)
{
	struct cursor *cursors = calloc(count + 1, sizeof(*cursors));
	int r;

	if (!cursors)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		start(&cursors[i], blocks[i]);
		for (unsigned int k = 0; into && k < BLOCK_CAUSES_MAX; k++)
			into->loss[k] += blocks[i]->loss[k];
	}
	r = merge_rows(cursors, count, into, each, userdata);
	free(cursors);
	return r;
}
