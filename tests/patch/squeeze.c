/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/squeeze.h"

#include "base/bytes.h"
#include "tests/patch/craft.h"
#include <lzo/lzo1x.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#define BOUND(size) ((size) + (size) / 2 + 4096)

static void run(lzma_stream *stream, const uint8_t *data, size_t size, lzma_action action)
{
	lzma_ret ret;

	stream->next_in = data;
	stream->avail_in = size;
	do
		ret = lzma_code(stream, action);
	while (ret == LZMA_OK);
	ck_assert_int_eq(ret, LZMA_STREAM_END);
}

struct bytes squeeze_xz(const struct bytes *plain, const struct xz_settings *settings)
{
	struct bytes squeezed = bytes_new(BOUND(plain->size));
	size_t blocks = settings->blocks ? settings->blocks : 1, done = 0;
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_options_lzma options;
	lzma_filter filters[3] = {{.id = settings->branch}};
	size_t count = settings->branch != 0;

	ck_assert(!lzma_lzma_preset(&options, settings->preset));
	options.dict_size = settings->dictionary;
	if (settings->nice)
		options.nice_len = settings->nice;
	options.lc -= settings->less_literals;
	filters[count++] = (lzma_filter){.id = LZMA_FILTER_LZMA2, .options = &options};
	filters[count] = (lzma_filter){.id = LZMA_VLI_UNKNOWN};
	if (settings->sized) {
		ck_assert_int_eq(lzma_stream_buffer_encode(filters, settings->check, NULL, plain->data, plain->size,
		                                           squeezed.data, &done, squeezed.size),
		                 LZMA_OK);
		squeezed.size = done;
		return squeezed;
	}
	ck_assert_int_eq(lzma_stream_encoder(&stream, filters, settings->check), LZMA_OK);
	stream.next_out = squeezed.data;
	stream.avail_out = squeezed.size;
	for (size_t i = 1; i < blocks; i++) {
		run(&stream, plain->data + done, plain->size / blocks, LZMA_FULL_FLUSH);
		done += plain->size / blocks;
	}
	run(&stream, plain->data + done, plain->size - done, LZMA_FINISH);
	squeezed.size -= stream.avail_out;
	lzma_end(&stream);
	return squeezed;
}

struct bytes squeeze_deflate(const struct bytes *plain, const struct deflate_settings *settings)
{
	static const uint8_t zip_header[] = {'P', 'K', 3, 4, 20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0,  0,
	                                     0,   0,   0, 0, 0,  0, 0, 0, 0, 0, 1, 0, 0, 0, 'n'};
	static const int window_bits[] = {
		[ZLIB_STREAM] = MAX_WBITS, [GZIP_MEMBER] = MAX_WBITS + 16, [ZIP_ENTRY] = -MAX_WBITS};
	size_t head = settings->container == ZIP_ENTRY ? sizeof(zip_header) : 0;
	struct bytes squeezed = bytes_new(BOUND(plain->size));
	z_stream z = {.next_in = plain->data, .avail_in = (uInt)plain->size};

	memcpy(squeezed.data, zip_header, head);
	z.next_out = squeezed.data + head;
	z.avail_out = (uInt)(squeezed.size - head);
	ck_assert_int_eq(deflateInit2(&z, settings->level, Z_DEFLATED, window_bits[settings->container],
	                              settings->memory, settings->strategy),
	                 Z_OK);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	squeezed.size -= z.avail_out;
	ck_assert_int_eq(deflateEnd(&z), Z_OK);
	return squeezed;
}

struct bytes squeeze_gzip(const struct bytes *plain, unsigned level)
{
	char path[] = "/tmp/squeeze-XXXXXX";
	char command[64];
	struct bytes member = {NULL, 0};
	uint8_t piece[65536];
	size_t n;
	int fd = mkstemp(path);
	FILE *output;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, plain->data, plain->size), (ssize_t)plain->size);
	ck_assert_int_eq(close(fd), 0);
	(void)snprintf(command, sizeof(command), "exec gzip -n -%u <%s", level, path);
	output = popen(command, "r");
	ck_assert_ptr_nonnull(output);
	while ((n = fread(piece, 1, sizeof(piece), output)) > 0)
		bytes_append(&member, piece, n);
	ck_assert_int_eq(pclose(output), 0);
	ck_assert_int_eq(unlink(path), 0);
	return member;
}

struct bytes squeeze_zstd(const struct bytes *plain, const struct zstd_settings *settings)
{
	struct bytes squeezed = bytes_new(ZSTD_compressBound(plain->size));
	ZSTD_CCtx *context = ZSTD_createCCtx();

	ck_assert_ptr_nonnull(context);
	if (settings->checksum || settings->no_rows) {
		(void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, settings->level);
		(void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, settings->checksum);
		if (settings->no_rows)
			(void)ZSTD_CCtx_setParameter(context, ZSTD_c_useRowMatchFinder, ZSTD_ps_disable);
		squeezed.size = ZSTD_compress2(context, squeezed.data, squeezed.size, plain->data, plain->size);
	} else {
		squeezed.size = ZSTD_compressCCtx(context, squeezed.data, squeezed.size, plain->data, plain->size,
		                                  settings->level);
	}
	ck_assert(!ZSTD_isError(squeezed.size));
	(void)ZSTD_freeCCtx(context);
	return squeezed;
}

struct bytes squeeze_lzo(const struct bytes *plain, int level, bool optimized)
{
	struct bytes squeezed = bytes_new(BOUND(plain->size));
	struct bytes work = bytes_new(LZO1X_999_MEM_COMPRESS);
	lzo_uint size = squeezed.size;
	int code = level == 0 ? lzo1x_1_compress(plain->data, plain->size, squeezed.data, &size, work.data)
	                      : lzo1x_999_compress_level(plain->data, plain->size, squeezed.data, &size, work.data,
	                                                 NULL, 0, NULL, level);

	ck_assert_int_eq(code, LZO_E_OK);
	squeezed.size = size;
	bytes_free(&work);
	if (optimized) {
		struct bytes decoded = bytes_new(plain->size);

		size = plain->size;
		ck_assert_int_eq(lzo1x_optimize(squeezed.data, squeezed.size, decoded.data, &size, NULL), LZO_E_OK);
		bytes_free(&decoded);
	}
	return squeezed;
}

struct bytes squeeze_ubifs(const struct bytes *plain, bool zlib, int level)
{
	const struct deflate_params params = {.level = level, .method = Z_DEFLATED, .window_bits = -11, .mem_level = 8};
	struct bytes data = zlib ? deflate_bytes(plain, &params) : squeeze_lzo(plain, level, false);
	struct bytes node = bytes_new(48);

	put_le32(node.data, 0x06101831);
	put_le32(node.data + 16, (uint32_t)(node.size + data.size));
	node.data[20] = 1;
	put_le32(node.data + 40, (uint32_t)plain->size);
	put_le16(node.data + 44, zlib ? 2 : 1);
	bytes_append(&node, data.data, data.size);
	put_le32(node.data + 4, ~(uint32_t)crc32(0, node.data + 8, (uInt)node.size - 8));
	bytes_free(&data);
	return node;
}
