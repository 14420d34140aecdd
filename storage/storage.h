/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

/*
 * Where bytes live, and the only place where a byte reaches flash: files, raw MTD partitions, UBI volumes and block
 * devices behind one small set of operations. Every durable change of the whole project passes through the storage_ops
 * of a struct storage, so that a simulator can number, stop and tear each of them.
 *
 * Functions return 0 or a negative errno value and fill *error (may be NULL) with path and cause. Codes they set:
 * RESULT_SPACE for ENOSPC and "too small", RESULT_VERIFY when what was read back is not what was written.
 */
#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STORAGE_PATH_MAX    4096
#define STORAGE_NAME_MAX    256
#define STORAGE_CONTENT_MAX 8
#define STORAGE_XATTR_MAX   4096u /* bytes of an extended attribute's value, as in UBIFS */

struct storage;

/* ---- Names ---- */

enum storage_kind {
	STORAGE_FILE,  /* "/system/bin/app" */
	STORAGE_MTD,   /* "MTD:boot", raw NAND: bad blocks skipped on reading and writing */
	STORAGE_UBI,   /* "UBI:modem", a volume by name, or by its device "UBI:/dev/ubi0_1" */
	STORAGE_BLOCK, /* "EMMC:/dev/block/mmcblk0p1", a block device or a regular file that stands for a partition */
};

/*
 * A name as scripts write it: a path, or TYPE:name[:size:digest]... (spec/lineage.md 2.3). The pairs say what the
 * partition's first `size` bytes may be; they are sorted by size. Paths are absolute or relative to "/".
 */
struct storage_name {
	enum storage_kind kind;
	char name[STORAGE_PATH_MAX];
	unsigned content_count;
	struct {
		uint64_t size; /* bytes, never 0 */
		struct digest_value digest;
	} content[STORAGE_CONTENT_MAX];
};

/* -EINVAL for an unknown type, an empty name, an odd field count, a size of 0, a bad number or digest. */
int storage_name_parse(const char *text, struct storage_name *name, struct error *error);

/*
 * Append the components of a path to out, which is like "a/b" or empty, resolving "." and ".."; nothing leads above its
 * beginning. -ENAMETOOLONG.
 */
int storage_append_path(char out[STORAGE_PATH_MAX], const char *path);

/* ---- Primitive operations: what a medium can do. The Linux ones are in storage; the simulator brings its own. ---- */

struct storage_stat {
	enum {
		STORAGE_REGULAR,
		STORAGE_DIRECTORY,
		STORAGE_SYMLINK,
		STORAGE_CHARACTER,
		STORAGE_BLOCKDEV,
		STORAGE_FIFO,
		STORAGE_OTHER
	} type;
	uint32_t mode; /* permission bits, 07777 */
	uint32_t uid;
	uint32_t gid;
	uint64_t size; /* bytes */
	uint64_t device;
	uint64_t inode;
	uint32_t links; /* names */
	uint32_t major; /* of a device node */
	uint32_t minor;
	uint64_t modified; /* when the content last changed, ns on the medium's own clock; only equality means anything
	                    */
};

struct storage_mtd_info {
	uint64_t size;       /* bytes, bad blocks included */
	uint32_t erase_size; /* bytes of an erase block */
	uint32_t page_size;  /* smallest program unit, bytes */
	bool has_bad_blocks; /* false for NOR and RAM: the bad-block calls are not made */
};

struct storage_ubi_info {
	uint64_t size;     /* bytes the volume can hold */
	uint64_t used;     /* bytes of data: of a static volume what was written last, of a dynamic one its size */
	uint32_t leb_size; /* bytes */
	bool is_static;
	bool interrupted; /* the update marker is set: the last update did not finish, content is void */
};

/*
 * Where a partition or volume name leads: a device (or regular file) and how to treat it. The kind asked for says where
 * to look first: MTD partitions, then UBI volumes, then block partitions; a name asked for as UBI is looked for among
 * volumes only, for an MTD partition of that name may hold the whole UBI device.
 */
struct storage_location {
	enum storage_kind kind;
	char path[STORAGE_PATH_MAX];
};

enum storage_open_mode {
	STORAGE_READ,
	STORAGE_WRITE,  /* read and write what exists */
	STORAGE_CREATE, /* read and write, emptied if it exists, mode 0600 until set_attributes */
	STORAGE_APPEND, /* write at the end, created with mode 0644 if missing */
};

/*
 * All return 0 (or a handle, or a count) or a negative errno value. Paths are absolute as the module sees them. The
 * operations marked * change something durable: each call of one is one step that power may interrupt.
 */
struct storage_ops {
	int (*stat)(void *medium, const char *path, struct storage_stat *stat); /* of a link itself */
	ssize_t (*read_link)(void *medium, const char *path, char *target, size_t size);
	int (*list)(void *medium, const char *path, int (*each)(void *ctx, const char *name), void *ctx);
	int (*free_space)(void *medium, const char *path, uint64_t *bytes); /* for an unprivileged writer */
	int (*is_mounted)(void *medium, const char *mount_point, bool *mounted);
	int (*find)(void *medium, enum storage_kind kind, const char *name, struct storage_location *location);

	int (*open)(void *medium, const char *path, enum storage_open_mode mode); /* * for CREATE and APPEND */
	int (*close)(void *medium, int handle);
	ssize_t (*read)(void *medium, int handle, uint64_t offset, void *buffer, size_t length);
	int (*write)(void *medium, int handle, uint64_t offset, const void *data, size_t length); /* * all of it */
	int (*size)(void *medium, int handle, uint64_t *bytes);
	int (*sync)(void *medium,
	            int handle); /* * content and size are on the medium, and not answered from a cache after */

	int (*rename)(void *medium, const char *from, const char *to);      /* * */
	int (*unlink)(void *medium, const char *path);                      /* * */
	int (*mkdir)(void *medium, const char *path, uint32_t mode);        /* * */
	int (*rmdir)(void *medium, const char *path);                       /* * */
	int (*symlink)(void *medium, const char *target, const char *path); /* * */
	int (*link)(void *medium, const char *first, const char *path);     /* * one more name of a file */
	int (*mknod)(void *medium, const char *path, int type, uint32_t major,
	             uint32_t minor); /* * a device node or FIFO (the stat's type), mode 0600 */
	int (*set_owner)(void *medium, const char *path, uint32_t uid, uint32_t gid); /* * of a link itself */
	int (*set_mode)(void *medium, const char *path, uint32_t mode);               /* * */
	int (*set_xattr)(void *medium, const char *path, const char *name, const void *value,
	                 size_t size); /* * 0 removes */
	ssize_t (*get_xattr)(void *medium, const char *path, const char *name, void *value, size_t size);
	int (*sync_directory)(void *medium, const char *path); /* * entries of the directory */
	int (*sync_all)(void *medium);                         /* * everything */
	int (*mount)(void *medium, const char *fs_type, const char *device, const char *mount_point,
	             const char *options);
	int (*unmount)(void *medium, const char *mount_point);

	int (*mtd_info)(void *medium, int handle, struct storage_mtd_info *info);
	int (*mtd_is_bad)(void *medium, int handle, uint64_t offset, bool *bad);
	int (*mtd_mark_bad)(void *medium, int handle, uint64_t offset); /* * */
	int (*mtd_erase)(void *medium, int handle, uint64_t offset);    /* * one erase block */
	int (*mtd_program)(void *medium, int handle, uint64_t offset, const void *data,
	                   size_t length); /* * whole pages */
	/* -EBADMSG when ECC could not correct, whatever the driver's read returned; corrected errors are no error */
	int (*mtd_read)(void *medium, int handle, uint64_t offset, void *buffer, size_t length);

	int (*ubi_info)(void *medium, int handle, struct storage_ubi_info *info);
	int (*ubi_update)(void *medium, int handle,
	                  uint64_t bytes); /* * sets the marker, drops the old content; 0 empties */
	int (*ubi_write)(void *medium, int handle, const void *data,
	                 size_t length); /* * the next bytes of the update */
	/* * all of a dynamic volume's LEB by one atomic step; what is behind length bytes, up to leb_size, reads 0xFF
	 */
	int (*ubi_change)(void *medium, int handle, uint32_t leb, const void *data, size_t length);
};

/* ---- The context ---- */

/*
 * The running system's own media. root: NULL, or a directory in which every absolute path lies and in which the
 * partition or volume NAME is the regular file dev/NAME, as large as the file (tests, offline use); mounting an
 * existing directory there succeeds without a mount, and such a directory counts as mounted. No link or ".." leads out
 * of it. An ordinary user may work below a root: owners and labels that he may not set are left. fstab: the path (below
 * root) of a recovery.fstab (lines "mount_point type device [options]"; type mtd, ubifs, ubi, emmc, ext4 ...), NULL for
 * the default places /res/recovery.fstab and /etc/recovery.fstab; a missing one is no error. Partition names are looked
 * up in the fstab (mount point without its slash, or the device field), then /proc/mtd, then UBI volume names; a name
 * that two partitions or two volumes have is -ENOTUNIQ ("ubi0:name" and "ubi0_1" tell volumes apart).
 */
int storage_open_linux(const char *root, const char *fstab, const struct log *log, struct storage **storage,
                       struct error *error);

/* A context over other operations, which must outlive it; the fstab is looked for in the default places through them.
 * storage_close() does not end the medium. */
int storage_open_medium(const struct storage_ops *ops, void *medium, const struct log *log, struct storage **storage,
                        struct error *error);
void storage_close(struct storage *storage);

/* ---- Objects: read, and replace with verification ---- */

struct storage_reader;

/*
 * Open for random access by the name's kind and name (its content pairs are not looked at). MTD: size is that of the
 * good blocks; unreadable pages are errors (-EBADMSG), never skipped. -ENOENT: no such path, partition or volume.
 * -EUCLEAN: a UBI volume whose last update was interrupted.
 */
int storage_reader_open(struct storage *storage, const struct storage_name *name, struct storage_reader **reader,
                        struct error *error);
struct reader storage_reader_io(struct storage_reader *reader); /* valid until storage_reader_close() */
void storage_reader_close(struct storage_reader *reader);

/* Digest of a reader's first length bytes. -EINVAL when it is shorter. */
int storage_digest(const struct reader *reader, uint64_t length, enum digest_kind kind, struct digest_value *value,
                   struct error *error);

/* Files are replaced atomically; the old content of a partition or volume is lost while the new one is written. */
bool storage_is_atomic(const struct storage_name *name);

/* Bytes the target could hold: of a partition its good blocks, of a volume its size, of a file UINT64_MAX. */
int storage_capacity(struct storage *storage, const struct storage_name *name, uint64_t *bytes, struct error *error);

/* Free bytes of the file system that holds path (or its nearest existing parent). */
int storage_free_space(struct storage *storage, const char *path, uint64_t *bytes, struct error *error);

struct storage_writer;

/*
 * Begin to replace an object by `size` bytes. File: a temporary file ".fota-new" in the same directory, so that only
 * one writer at a time may be open per directory; `like` is the path whose mode, owner and extended attributes it takes
 * (NULL: 0644, root; it must exist, links in it are followed); missing parents are made. The name itself is replaced:
 * if the target is a link, the link gives way and what it led to stays. A target that is or leads to a device is
 * -EINVAL. MTD and block: too small is -ENOSPC before the first erase. UBI: -ENOSPC when too small; the volume update
 * starts with the first byte written, so that an error before it leaves the volume alone. It is -EBUSY when the volume
 * is mounted or a reader of it is open: close it before.
 */
int storage_writer_open(struct storage *storage, const struct storage_name *target, uint64_t size, const char *like,
                        struct storage_writer **writer, struct error *error);

/* The next bytes. More than `size` in all is -EFBIG; after an error only commit (which fails) or abort make sense. MTD:
 * each block is erased, programmed, read back; a block that fails twice is erased, marked bad and its data go to the
 * next good one. */
int storage_writer_write(struct storage_writer *writer, const void *data, size_t length, struct error *error);

/*
 * End the replacement: all `size` bytes must have come (-EINVAL). Makes them durable, reads the whole content back from
 * the medium and compares with `expected` (NULL: with what was written), and only then, for a file, renames and syncs
 * the directory. The rest of an MTD partition is erased. The writer is gone afterwards, whatever the result; on failure
 * a file target is untouched and the temporary file removed.
 */
int storage_writer_commit(struct storage_writer *writer, const struct digest_value *expected, struct error *error);

/* Give up. A file target is untouched. */
void storage_writer_abort(struct storage_writer *writer);

struct sink storage_writer_io(struct storage_writer *writer); /* writes as above; the message is lost */

/* Erase a partition, or empty a volume (UBIFS formats an empty volume at its next mount). Block: filled with 0xFF, as
 * erased flash reads. Files: -EINVAL. */
int storage_erase(struct storage *storage, const struct storage_name *name, struct error *error);

/* ---- Objects changed in place, unit by unit ---- */

/*
 * Each change of a unit is one step: whenever power goes, and whatever fails, each unit has its old content or its new
 * one, or gets the new one when the object is opened next. A dynamic UBI volume's unit is a LEB, changed atomically by
 * UBI itself, which needs no room and no journal; one that is not mapped reads as 0xFF and may be changed like any
 * other. A raw MTD partition's unit is a good erase block, counted without the bad ones. Such a block, and the slice
 * of a block device (or of the regular file that stands for a partition), cannot be replaced atomically: the new
 * content goes to a journal first, a file on another medium, and then to its place as often as it takes.
 *
 * A block that fails twice is taken out of use. What lies behind it moves up by one block, the last one first, each by
 * way of the journal; the good block behind the object's end takes the last one, and without such a spare the change
 * is -ENOSPC, the content staying in the journal. Until that is through, no other reader sees the object as it is.
 */
struct storage_units;

struct storage_units_options {
	const char *journal; /* path; not needed for UBI */
	uint64_t length;     /* bytes from the object's beginning that count: old or new ones, whichever are more */
	uint32_t unit;       /* bytes of a unit; of a volume or MTD partition it must be what the medium has */
	bool look;           /* change nothing: no journal is finished, and others may have the volume open */
};

struct storage_units_info {
	uint64_t size;    /* bytes of the object: all of its units together */
	uint64_t scratch; /* bytes that the journal may take while one replaces another; 0: there is none */
};

/*
 * -EINVAL: other units, or a file, which is replaced as a whole (storage_writer_open()). -ENOSPC: shorter than length.
 * A UBI volume: -EROFS when static, -EUCLEAN when its last update was interrupted, -EBUSY when it is mounted or open
 * elsewhere, be it by a reader or an opened ubiblock device (which may be found by the first change only). A journal
 * that is there, of whatever object, is recovered before anything else.
 */
int storage_units_open(struct storage *storage, const struct storage_name *name,
                       const struct storage_units_options *options, struct storage_units **units,
                       struct storage_units_info *info, struct error *error);

struct reader storage_units_io(struct storage_units *units); /* the object as it is now; valid until it is closed */

/* Give a unit new content, at most a unit's bytes: durable, read back and compared when it returns. Behind them a LEB
 * or block reads 0xFF; on a block device what was there stays. No change but this one was half done after a failure. */
int storage_units_change(struct storage_units *units, uint64_t number, const void *data, size_t length,
                         struct error *error);

/* Ends always; removes the journal unless a change failed, for then it may be the only place of the content. */
int storage_units_close(struct storage_units *units, struct error *error);

/* Finish what a journal says, or find that its block was written by other means since, and remove it: 1. No journal,
 * or none that is whole: 0, which leaves it. What was being written to become the journal is removed. */
int storage_units_recover(struct storage *storage, const char *journal, struct error *error);

/*
 * ---- Files ----
 * A path is absolute or relative to "/"; one with a ".." is -EINVAL everywhere. Changes of names (save, rename, remove,
 * remove_tree, make_directories, make_symlink, make_hard_link, make_node) are durable when the function returns;
 * attributes are with the next storage_sync().
 */

int storage_stat_path(struct storage *storage, const char *path,
                      struct storage_stat *stat); /* of a link itself; no message */
int storage_read_link(struct storage *storage, const char *path, char *target, size_t size, struct error *error);

/* Whole small file into memory, NUL behind its last byte; -EFBIG above max. The caller frees *data. */
int storage_load(struct storage *storage, const char *path, size_t max, char **data, size_t *size, struct error *error);

/* Whole small file, atomic and durable: temporary, fsync, rename, directory fsync. Missing parents are made. */
int storage_save(struct storage *storage, const char *path, const void *data, size_t size, uint32_t mode,
                 struct error *error);

/* Add to a file's end, not synced: for logs. */
int storage_append(struct storage *storage, const char *path, const void *data, size_t size, struct error *error);

/* The same, and durable with all that was added before. A file that was made for it stays, though it may stay empty. */
int storage_append_durable(struct storage *storage, const char *path, const void *data, size_t size,
                           struct error *error);

/*
 * For a file that grows while it is downloaded: write at offset, durable when it returns. Offset 0 begins a new file,
 * mode 0600; any other continues one that is there.
 */
int storage_write_durable(struct storage *storage, const char *path, uint64_t offset, const void *data, size_t size,
                          struct error *error);

int storage_rename(struct storage *storage, const char *from, const char *to,
                   struct error *error); /* and syncs both directories */
int storage_remove(struct storage *storage, const char *path,
                   struct error *error); /* file or link; 1 when there was none */
int storage_remove_tree(struct storage *storage, const char *path,
                        struct error *error); /* does not follow links; 1: none */
int storage_make_directories(struct storage *storage, const char *path, uint32_t mode,
                             struct error *error); /* path itself too */
int storage_make_symlink(
	struct storage *storage, const char *target, const char *path,
	struct error *error); /* replaces what is there unless a directory; unchanged when right already */

/* One more name of what `first` is a name of, which is no directory and, if a link, not followed. As make_symlink. */
int storage_make_hard_link(struct storage *storage, const char *first, const char *path, struct error *error);

/* Whether both stats are of one file, or of names of one file. */
bool storage_same_file(const struct storage_stat *a, const struct storage_stat *b);

/* A device node or FIFO, by type, major and minor of `node`. As make_symlink; a new one has mode 0600. */
int storage_make_node(struct storage *storage, const char *path, const struct storage_stat *node, struct error *error);

/* Which attributes to set; the unset ones stay. Setting the mode of a symlink is skipped. */
struct storage_attributes {
	bool has_uid, has_gid, has_mode, has_capabilities, has_selabel;
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;         /* 07777 */
	uint64_t capabilities; /* permitted set for security.capability; 0 removes the attribute */
	const char *selabel;   /* security.selinux */
};
int storage_set_attributes(struct storage *storage, const char *path, const struct storage_attributes *attributes,
                           struct error *error);

/* One extended attribute, of a link itself; 0 bytes remove it. Not written when right already. */
int storage_set_xattr(struct storage *storage, const char *path, const char *name, const void *value, size_t size,
                      struct error *error);

/* Call each() for path and everything below it, a directory after its content, links not followed. Ends early when
 * each() returns non-zero, with that value. */
int storage_walk(struct storage *storage, const char *path,
                 int (*each)(void *ctx, const char *path, const struct storage_stat *stat), void *ctx,
                 struct error *error);

int storage_sync(struct storage *storage, struct error *error); /* everything durable */

/* ---- Mounts ---- */

/*
 * Mount what `location` names (a partition or volume name, a device) at mount_point, which is made if missing. A mount
 * point that is mounted already is left as it is, successfully. fs_type as scripts say: ubifs, yaffs2, ext4, ...;
 * for ubifs the fstab's entry of the mount point goes before `location` (the Linux-Embedded generators' habit).
 * options: as in mount(8), NULL for "noatime,nodiratime,nodev"; with "remount" a mounted one is mounted anew.
 */
int storage_mount(struct storage *storage, const char *fs_type, const char *location, const char *mount_point,
                  const char *options, struct error *error);
int storage_unmount(struct storage *storage, const char *mount_point, struct error *error);
int storage_is_mounted(struct storage *storage, const char *mount_point, bool *mounted, struct error *error);

/* Mount the fstab's volume that holds path, if the fstab has one and it is not mounted yet. */
int storage_mount_for(struct storage *storage, const char *path, struct error *error);

/* The same for a look at it: read-only. 1 when it was not mounted before, and is to be unmounted after the look. */
int storage_mount_to_read(struct storage *storage, const char *path, struct error *error);

/* ---- Raw access to a partition's pages, for misc ---- */

struct storage_raw;
struct storage_raw_info {
	enum storage_kind kind; /* STORAGE_MTD or STORAGE_BLOCK */
	uint64_t size;          /* bytes; of MTD the good blocks only: offsets below count good blocks */
	uint32_t erase_size;    /* 1 for STORAGE_BLOCK, which is written in place without erasing */
	uint32_t page_size;     /* 1 for STORAGE_BLOCK */
};
/* Every failure is the caller's to handle: raw access retries nothing, and marks a block bad only when told. */
int storage_raw_open(struct storage *storage, const char *partition, struct storage_raw **raw,
                     struct storage_raw_info *info, struct error *error);
int storage_raw_read(struct storage_raw *raw, uint64_t offset, void *buffer, size_t length, struct error *error);
int storage_raw_erase(struct storage_raw *raw, uint64_t offset,
                      struct error *error); /* one erase block; no-op for BLOCK */
int storage_raw_program(struct storage_raw *raw, uint64_t offset, const void *data, size_t length,
                        struct error *error); /* durable when it returns */

/*
 * Take the erase block at offset out of use: it is marked bad, for the bootloader too, and what lies behind it moves up
 * by one block. *info: as it is now; size 0 when that was the last one. -EOPNOTSUPP where no block can be marked.
 */
int storage_raw_retire(struct storage_raw *raw, uint64_t offset, struct storage_raw_info *info, struct error *error);

/* Does an error of erase, program or read-back speak against the block, so that another one may do? */
bool storage_is_block_failure(int err);
void storage_raw_close(struct storage_raw *raw);

#endif
