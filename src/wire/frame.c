/* SPDX-License-Identifier: Apache-2.0 */
/* libzstd in one go, from memory to memory; see frame.h. */
#include "wire/frame.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "wire/words.h"

/* What is small takes no time at a level that finds more. */
#define SMALL_BYTES 8192
#define SMALL_LEVEL 12

static size_t compress(ZSTD_CCtx *context, uint8_t *to, size_t capacity, const void *data,
		       size_t size)
{
	size_t z = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);

	if (!ZSTD_isError(z) && size <= SMALL_BYTES)
		z = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, SMALL_LEVEL);
	if (!ZSTD_isError(z))
		z = ZSTD_CCtx_refPrefix(context, wire_words, WIRE_WORDS_SIZE);
	return ZSTD_isError(z) ? z : ZSTD_compress2(context, to, capacity, data, size);
}

int frame_pack(const void *data, size_t size, uint8_t **ret, size_t *ret_size)
{
	size_t capacity = ZSTD_compressBound(size), z;
	ZSTD_CCtx *context = ZSTD_createCCtx();
	uint8_t *to = malloc(capacity);

	if (!context || !to) {
		ZSTD_freeCCtx(context);
		free(to);
		return -ENOMEM;
	}
	z = compress(context, to, capacity, data, size);
	ZSTD_freeCCtx(context);
	if (ZSTD_isError(z)) { /* capacity is its bound: nothing else can go wrong */
		free(to);
		return -ENOMEM;
	}
	*ret = to;
	*ret_size = z;
	return 0;
}

/* Neither a skippable frame nor one of the formats before 0.8, which libzstd may read too. */
static int is_frame(const uint8_t *data, size_t size)
{
	static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd};

	return size > sizeof(magic) && !memcmp(data, magic, sizeof(magic));
}

int frame_measure(const void *data, size_t size, uint64_t *ret_content)
{
	unsigned long long content;

	if (!is_frame(data, size) || ZSTD_findFrameCompressedSize(data, size) != size)
		return -EBADMSG;
	content = ZSTD_getFrameContentSize(data, size);
	if (content == ZSTD_CONTENTSIZE_UNKNOWN || content == ZSTD_CONTENTSIZE_ERROR)
		return -EBADMSG;
	*ret_content = content;
	return 0;
}

/* Kept for the next frame, one a thread: to make one takes longer than to open a frame with it. */
static pthread_key_t contexts;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool can_keep;

static void free_context(void *context)
{
	ZSTD_freeDCtx(context);
}

static void make_key(void)
{
	can_keep = !pthread_key_create(&contexts, free_context);
}

static ZSTD_DCtx *take_context(void)
{
	ZSTD_DCtx *context;

	pthread_once(&once, make_key);
	context = can_keep ? pthread_getspecific(contexts) : NULL;
	if (context)
		return context;
	context = ZSTD_createDCtx();
	if (context &&
	    (ZSTD_isError(ZSTD_DCtx_loadDictionary(context, wire_words, WIRE_WORDS_SIZE)) ||
	     !can_keep || pthread_setspecific(contexts, context))) {
		ZSTD_freeDCtx(context);
		return NULL;
	}
	return context;
}

int frame_unpack(const void *data, size_t size, void *into, size_t into_size)
{
	ZSTD_DCtx *context = take_context();
	size_t z;

	if (!context)
		return -ENOMEM;
	z = ZSTD_decompressDCtx(context, into, into_size, data, size);
	return z == into_size ? 0 : -EBADMSG;
}
