/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/image_squashfs_open.h"

#include <errno.h>
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <string.h>

int squashfs_failed(const char *path, int code, struct error *error)
{
	switch (code) {
	case SQFS_ERROR_ALLOC:
		return error_set(error, 0, ENOMEM, "squashfs: %s: out of memory", path);
	case SQFS_ERROR_UNSUPPORTED:
		return error_set(error, RESULT_FORMAT, EINVAL, "squashfs: %s: of a kind that is not known", path);
	case SQFS_ERROR_COMPRESSOR:
		return error_set(error, RESULT_FORMAT, EINVAL, "squashfs: %s: content that cannot be unpacked", path);
	default:
		return error_set(error, RESULT_FORMAT, EINVAL, "squashfs: %s: damaged (error %d of libsquashfs)", path,
		                 code);
	}
}

static int read_at(sqfs_file_t *base, sqfs_u64 offset, void *buffer, size_t size)
{
	const struct reader *reader = ((const struct squashfs_file *)base)->reader;

	if (offset > reader->size || size > reader->size - offset)
		return SQFS_ERROR_OUT_OF_BOUNDS;
	return reader->read_at(reader->ctx, offset, buffer, size) < 0 ? SQFS_ERROR_IO : 0;
}

static int write_at(sqfs_file_t *base, sqfs_u64 offset, const void *buffer, size_t size)
{
	(void)base;
	(void)offset;
	(void)buffer;
	(void)size;
	return SQFS_ERROR_IO;
}

static sqfs_u64 get_size(const sqfs_file_t *base)
{
	return ((const struct squashfs_file *)base)->reader->size;
}

static int truncate_file(sqfs_file_t *base, sqfs_u64 size)
{
	(void)base;
	(void)size;
	return SQFS_ERROR_IO;
}

static void release(sqfs_object_t *object)
{
	free(object);
}

static sqfs_object_t *copy_file(const sqfs_object_t *object)
{
	struct squashfs_file *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *(const struct squashfs_file *)object;
	copy->base.base.destroy = release;
	return (sqfs_object_t *)copy;
}

static void get_configuration(const sqfs_compressor_t *compressor, sqfs_compressor_config_t *config)
{
	(void)compressor;
	*config = (sqfs_compressor_config_t){.id = SQFS_COMP_LZO, .flags = SQFS_COMP_FLAG_UNCOMPRESS};
}

static int write_options(sqfs_compressor_t *compressor, sqfs_file_t *file)
{
	(void)compressor;
	(void)file;
	return SQFS_ERROR_UNSUPPORTED;
}

/* Options only matter for packing. */
static int read_options(sqfs_compressor_t *compressor, sqfs_file_t *file)
{
	(void)compressor;
	(void)file;
	return 0;
}

static sqfs_s32 unpack_lzo(sqfs_compressor_t *compressor, const sqfs_u8 *in, sqfs_u32 size, sqfs_u8 *out, sqfs_u32 room)
{
	lzo_uint length = room;

	(void)compressor;
	if (lzo1x_decompress_safe(in, size, out, &length, NULL) != LZO_E_OK || length > INT32_MAX)
		return SQFS_ERROR_COMPRESSOR;
	return (sqfs_s32)length;
}

static sqfs_object_t *copy_lzo(const sqfs_object_t *object)
{
	sqfs_compressor_t *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *(const sqfs_compressor_t *)object;
	return &copy->base;
}

/* Debian's libsquashfs has none for LZO. */
static sqfs_compressor_t *make_lzo(void)
{
	const sqfs_compressor_t lzo = {.base = {.destroy = release, .copy = copy_lzo},
	                               .get_configuration = get_configuration,
	                               .write_options = write_options,
	                               .read_options = read_options,
	                               .do_block = unpack_lzo};

	return (sqfs_compressor_t *)copy_lzo(&lzo.base);
}

static int make_compressor(struct squashfs *fs)
{
	sqfs_compressor_config_t config;
	int code;

	if (fs->super.compression_id == SQFS_COMP_LZO) {
		fs->compressor = make_lzo();
		return fs->compressor ? 0 : SQFS_ERROR_ALLOC;
	}
	code = sqfs_compressor_config_init(&config, fs->super.compression_id, fs->super.block_size,
	                                   SQFS_COMP_FLAG_UNCOMPRESS);
	if (code == 0)
		code = sqfs_compressor_create(&config, &fs->compressor);
	if (code == 0 && fs->super.flags & SQFS_FLAG_COMPRESSOR_OPTIONS)
		code = fs->compressor->read_options(fs->compressor, &fs->file.base);
	return code < 0 ? code : 0;
}

static int open_readers(struct squashfs *fs)
{
	sqfs_file_t *file = &fs->file.base;
	int code;

	fs->owners = sqfs_id_table_create(0);
	fs->folders = sqfs_dir_reader_create(&fs->super, fs->compressor, file, 0);
	fs->data = sqfs_data_reader_create(file, fs->super.block_size, fs->compressor, 0);
	fs->attributes = sqfs_xattr_reader_create(0);
	if (!fs->owners || !fs->folders || !fs->data || !fs->attributes)
		return SQFS_ERROR_ALLOC;
	code = sqfs_id_table_read(fs->owners, file, &fs->super, fs->compressor);
	if (code == 0)
		code = sqfs_data_reader_load_fragment_table(fs->data, &fs->super);
	if (code == 0)
		code = sqfs_xattr_reader_load(fs->attributes, &fs->super, file, fs->compressor);
	return code;
}

int squashfs_open(struct squashfs *fs, const struct reader *reader, struct error *error)
{
	int code;

	*fs = (struct squashfs){.file = {.base = {.base = {.copy = copy_file},
	                                          .read_at = read_at,
	                                          .write_at = write_at,
	                                          .get_size = get_size,
	                                          .truncate = truncate_file},
	                                 .reader = reader}};
	code = sqfs_super_read(&fs->super, &fs->file.base);
	if (code == 0 && fs->super.bytes_used > reader->size)
		return error_set(error, RESULT_FORMAT, EINVAL, "squashfs: cut short: %llu of %llu bytes",
		                 (unsigned long long)reader->size, (unsigned long long)fs->super.bytes_used);
	if (code == 0)
		code = make_compressor(fs);
	if (code == 0)
		code = open_readers(fs);
	return code < 0 ? squashfs_failed("its head", code, error) : 0;
}

void squashfs_close(struct squashfs *fs)
{
	sqfs_destroy(fs->attributes);
	sqfs_destroy(fs->data);
	sqfs_destroy(fs->folders);
	sqfs_destroy(fs->owners);
	sqfs_destroy(fs->compressor);
}
