/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_IMAGE_SQUASHFS_OPEN_H
#define GENTOOLS_IMAGE_SQUASHFS_OPEN_H

/* libsquashfs over one of our readers. */
#include "base/error.h"
#include "base/io.h"

#include <sqfs/compressor.h>
#include <sqfs/data_reader.h>
#include <sqfs/dir.h>
#include <sqfs/dir_reader.h>
#include <sqfs/error.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/super.h>
#include <sqfs/xattr.h>
#include <sqfs/xattr_reader.h>

/* What libsquashfs reads from. It may copy it; the reader stays the caller's. */
struct squashfs_file {
	sqfs_file_t base;
	const struct reader *reader;
};

struct squashfs {
	struct squashfs_file file;
	sqfs_super_t super;
	sqfs_compressor_t *compressor;
	sqfs_id_table_t *owners;
	sqfs_dir_reader_t *folders;
	sqfs_data_reader_t *data;
	sqfs_xattr_reader_t *attributes;
};

/* Ends with squashfs_close(), also after a failure; must stay where it is. */
int squashfs_open(struct squashfs *fs, const struct reader *reader, struct error *error);
void squashfs_close(struct squashfs *fs);

/* A failure of libsquashfs as an error of ours. path: what it was about. */
int squashfs_failed(const char *path, int code, struct error *error);

#endif
