/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/native.h"

#include <stdio.h>
#include <string.h>

#define LC_LP_MAX 4u
#define PB_MAX    4u

bool native_coding_read(struct number_source *source, struct native_coding *coding)
{
	const uint8_t *settings;
	unsigned literal;

	*coding = (struct native_coding){.coder = (enum native_coder)number_read_up_to(source, NATIVE_CODERS - 1)};
	if (coding->coder == NATIVE_STORED)
		return !source->failed;
	settings = number_read_bytes(source, 2);
	if (!settings)
		return false;
	literal = settings[0] % 45u;
	coding->pb = settings[0] / 45u;
	coding->lp = (uint8_t)(literal / 9);
	coding->lc = (uint8_t)(literal % 9);
	coding->dictionary = settings[1];
	return coding->pb <= PB_MAX && coding->lc + coding->lp <= (int)LC_LP_MAX &&
	       coding->dictionary >= NATIVE_DICTIONARY_MIN && coding->dictionary <= NATIVE_DICTIONARY_MAX;
}

size_t native_coding_write(uint8_t *at, const struct native_coding *coding)
{
	at[0] = (uint8_t)coding->coder;
	if (coding->coder == NATIVE_STORED)
		return 1;
	at[1] = (uint8_t)(9 * (5 * coding->pb + coding->lp) + coding->lc);
	at[2] = coding->dictionary;
	return 3;
}

int native_packed_open(struct native_packed *packed, const struct native_coding *coding, struct pool *pool,
                       struct error *error)
{
	lzma_options_lzma options = {
		.dict_size = UINT32_C(1) << coding->dictionary,
		.lc = coding->lc,
		.lp = coding->lp,
		.pb = coding->pb,
	};
	const lzma_filter filters[] = {{LZMA_FILTER_LZMA1, &options}, {LZMA_VLI_UNKNOWN, NULL}};
	lzma_ret result;

	packed->coder = coding->coder;
	packed->left = 0;
	packed->carried = 0;
	if (coding->coder == NATIVE_STORED)
		return 0;
	packed->allocator = pool_lzma(pool);
	packed->lzma.allocator = &packed->allocator;
	result = lzma_raw_decoder(&packed->lzma, filters);
	if (result == LZMA_MEM_ERROR)
		return patch_broken(error, "patch: its dictionaries take more memory than it may");
	if (result != LZMA_OK)
		return patch_broken(error, "patch: LZMA does not take its settings (%d)", (int)result);
	return 0;
}

int native_packed_feed(struct native_packed *packed, const uint8_t *data, size_t size, struct error *error)
{
	if (packed->left > (packed->coder == NATIVE_LZMA ? sizeof(packed->carry) : 0))
		return patch_broken(error, "patch: a frame has more bytes than its unit needs");
	if (packed->left > 0)
		memcpy(packed->carry, packed->next, packed->left);
	packed->carried = packed->left;
	packed->next = data;
	packed->left = size;
	return 0;
}

/* Decode these packed bytes as far as they last and there is room. *size becomes what is left of them. */
static bool decode(struct native_packed *packed, const uint8_t *data, size_t *size)
{
	lzma_stream *lzma = &packed->lzma;
	lzma_ret result;
	size_t before;

	lzma->next_in = data;
	lzma->avail_in = *size;
	do {
		before = lzma->avail_in + lzma->avail_out;
		result = lzma_code(lzma, LZMA_RUN);
	} while (result == LZMA_OK && lzma->avail_out > 0 && lzma->avail_in + lzma->avail_out < before);
	*size = lzma->avail_in;
	return result == LZMA_OK || result == LZMA_BUF_ERROR || result == LZMA_STREAM_END;
}

static bool read_lzma(struct native_packed *packed, void *buffer, size_t length)
{
	size_t carried = packed->carried;
	size_t left = packed->left;

	packed->lzma.next_out = buffer;
	packed->lzma.avail_out = length;
	if (carried > 0 && !decode(packed, packed->carry, &packed->carried))
		return false;
	memmove(packed->carry, packed->carry + carried - packed->carried, packed->carried);
	if (packed->lzma.avail_out > 0 && !decode(packed, packed->next, &packed->left))
		return false;
	packed->next += left - packed->left;
	return packed->lzma.avail_out == 0;
}

int native_packed_read(struct native_packed *packed, void *buffer, size_t length, struct error *error)
{
	if (packed->coder == NATIVE_LZMA)
		return length == 0 || read_lzma(packed, buffer, length)
		               ? 0
		               : patch_broken(error, "patch: damaged LZMA data");
	if (length > packed->left)
		return patch_broken(error, "patch: a frame has less bytes than its unit needs");
	if (length > 0)
		memcpy(buffer, packed->next, length);
	packed->next += length;
	packed->left -= length;
	return 0;
}

void native_packed_close(struct native_packed *packed)
{
	lzma_end(&packed->lzma);
	*packed = (struct native_packed){.coder = NATIVE_STORED};
}
