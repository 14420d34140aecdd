/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORAGE_INTERNAL_H
#define STORAGE_INTERNAL_H

/* What the files of storage/ share. Everything here reaches the medium through storage->ops only. */
#include "storage/storage.h"

#define STORAGE_CHUNK     65536u
#define STORAGE_TEMP_NAME ".fota-new" /* the one temporary name of a directory; the updater is strictly sequential */

/* ---- The context ---- */

struct fstab_entry {
	char *mount_point;
	char *type;
	char *device;
	char *options; /* NULL: none */
};

struct fstab {
	struct fstab_entry *entry;
	size_t count;
};

struct storage {
	const struct storage_ops *ops;
	void *medium;
	struct log log;
	struct fstab fstab;
	void (*close_medium)(void *medium); /* NULL: the medium belongs to the caller */
};

/* A context whose fstab is not loaded yet; NULL when there is no memory. */
struct storage *storage_create(const struct storage_ops *ops, void *medium, const struct log *log);

/* Fill *error with "context: cause of err" and the result code that err implies; returns err (negative). */
int storage_fail(struct error *error, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- fstab: pure, over text ---- */

int fstab_parse(const char *text, struct fstab *fstab); /* lines that make no sense are left out; 0 or -ENOMEM */
void fstab_free(struct fstab *fstab);
bool fstab_is_volume(const struct fstab_entry *entry);
/* "boot"; volume: an MTD partition of that name is not what is meant, it may hold the UBI device itself */
const struct fstab_entry *fstab_find_name(const struct fstab *fstab, const char *name, bool volume);
const struct fstab_entry *fstab_find_mount_point(const struct fstab *fstab, const char *point); /* "/cache" */
const struct fstab_entry *fstab_find_path(const struct fstab *fstab, const char *path);         /* longest, never "/" */

/* Read the fstab through the operations: path, or the default places when NULL. Missing is no error. */
int storage_load_fstab(struct storage *storage, const char *path, struct error *error);

/* ---- Paths: textual ---- */

/* Absolute form with single slashes and no "." into out. -EINVAL when empty or with a "..", -ENAMETOOLONG. */
int path_make(char out[STORAGE_PATH_MAX], const char *path, struct error *error);
void path_parent(char out[STORAGE_PATH_MAX], const char *path); /* of an absolute path; "/" of "/" */

/* The sibling of path that is called name. -ENAMETOOLONG. */
int path_sibling(char out[STORAGE_PATH_MAX], const char *path, const char *name, struct error *error);

/* path with its symbolic links (the last component's too) replaced, as far as they exist now. path and out may be
 * the same. -ELOOP. */
int path_resolve(struct storage *storage, char out[STORAGE_PATH_MAX], const char *path);

/* ---- Partitions and volumes ---- */

const char *kind_prefix(enum storage_kind kind); /* "MTD:" ..., "" for a file: for messages */

/* Where a partition or volume name leads, over the fstab. */
int storage_locate(struct storage *storage, enum storage_kind kind, const char *name, struct storage_location *location,
                   struct error *error);

/* Locate name and open its device. For a file, the path itself. */
int storage_open_object(struct storage *storage, const struct storage_name *name, enum storage_open_mode mode,
                        struct storage_location *location, int *handle, struct error *error);

/* The good blocks of an MTD partition, in order. */
struct mtd_map {
	struct storage *storage;
	int handle;
	const char *label; /* the partition's name, for messages; borrowed */
	uint32_t erase_size;
	uint32_t page_size;
	bool has_bad_blocks;
	uint32_t *block; /* erase block numbers */
	uint32_t count;
	unsigned retired; /* blocks this map marked bad */
};

int mtd_map_open(struct mtd_map *map, struct storage *storage, int handle, const char *label, struct error *error);
void mtd_map_close(struct mtd_map *map);                            /* the handle stays open */
uint64_t mtd_map_size(const struct mtd_map *map);                   /* bytes in good blocks */
uint64_t mtd_map_offset(const struct mtd_map *map, uint32_t index); /* of a good block in the partition */
int mtd_map_translate(const struct mtd_map *map, uint64_t offset, uint64_t *real); /* -EINVAL behind the end */
int mtd_map_read(const struct mtd_map *map, uint64_t offset, void *buffer, size_t length);

/* Whether err is a block's failure, after which another block may do. All other errors (write protection, no such
 * device ...) say nothing about blocks, and marking them bad would ruin a healthy flash. */
bool mtd_is_block_failure(int err);

/* Take a failed block out of use: mark it bad and drop it from the map. Without the mark a later reader would not skip
 * it and see shifted content, so that a mark that fails is an error. */
int mtd_map_retire(struct mtd_map *map, uint32_t index, struct error *error);

/* Erase a good block, program whole pages, read back into `back` and compare; once more when that fails. */
int mtd_map_write_block(const struct mtd_map *map, uint32_t index, const uint8_t *data, size_t length, uint8_t *back);

/* Erase the good blocks from index on; blocks that fail are retired. */
int mtd_map_erase_from(struct mtd_map *map, uint32_t index, struct error *error);

/* ---- Writers ---- */

struct writer_kind {
	/* The next bytes: chunks of writer->chunk bytes, only the last one shorter. */
	int (*put)(struct storage_writer *writer, const uint8_t *data, size_t length, struct error *error);
	/* All bytes came: make them durable, read back, put in place. */
	int (*finish)(struct storage_writer *writer, const struct digest_value *expected, struct error *error);
	/* Close what is open, free what the kind holds, remove what finish() did not put in place. Called once, always.
	 */
	void (*release)(struct storage_writer *writer);
};

/* The head of every writer; each kind's own struct begins with it and is one malloc. */
struct storage_writer {
	const struct writer_kind *kind;
	struct storage *storage;
	struct storage_name name; /* of the target; a path is in absolute form */
	uint64_t size;
	uint64_t received; /* bytes from the caller */
	uint64_t put;      /* bytes handed to the kind; put() itself sees the count before its own bytes */
	struct digest digest;
	uint8_t *buffer; /* chunk bytes */
	size_t chunk;
	size_t fill;
	bool failed;
};

/* How a new file shall look when no `like` tells. */
struct writer_look {
	bool as_root; /* owned by 0:0, else by whoever writes */
	uint32_t mode;
};

/* struct_size zeroed bytes with the head filled; NULL when there is no memory. */
struct storage_writer *writer_create(struct storage *storage, const struct writer_kind *kind, size_t struct_size,
                                     const struct storage_name *target, uint64_t size);
int writer_set_chunk(struct storage_writer *writer, size_t chunk, struct error *error);

/* Compare the first size bytes of the target as a fresh reader sees them with expected, or with what was written. */
int writer_verify(struct storage_writer *writer, const struct storage_name *where, const struct digest_value *expected,
                  struct error *error);

int writer_open_file(struct storage *storage, const char *path, uint64_t size, const char *like,
                     const struct writer_look *look, struct storage_writer **writer, struct error *error);
int writer_open_mtd(struct storage *storage, const struct storage_name *target, uint64_t size, int handle,
                    struct storage_writer **writer, struct error *error);
int writer_open_ubi(struct storage *storage, const struct storage_name *target, uint64_t size, int handle,
                    struct storage_writer **writer, struct error *error);
int writer_open_block(struct storage *storage, const struct storage_name *target, uint64_t size, int handle,
                      struct storage_writer **writer, struct error *error);

/* ---- Attributes ---- */

/* Give path what `from` has: owner, then mode, then extended attributes (a change of owner clears the others). */
int attributes_copy(struct storage *storage, const char *from, const char *path, struct error *error);

/* Owner (when as_root) and mode, as look says. */
int attributes_apply_look(struct storage *storage, const char *path, const struct writer_look *look,
                          struct error *error);

/* ---- Files ---- */

/* Read exactly length bytes; -EPIPE when the object ends before. */
int storage_read_all(struct storage *storage, int handle, uint64_t offset, void *buffer, size_t length);

int storage_sync_parent(struct storage *storage, const char *path, struct error *error);

#endif
