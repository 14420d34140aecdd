/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POWERCUT_MEDIUM_INTERNAL_H
#define TESTS_POWERCUT_MEDIUM_INTERNAL_H

/* What the files of the crash media share. Memory never runs out here: it aborts. */
#include "tests/powercut/medium.h"

#include <limits.h>

#define MEDIUM_NANDS   8
#define MEDIUM_VOLUMES 16
#define MEDIUM_HANDLES 64

/* ---- Raw NAND (medium_nand.c) ---- */

struct nand_block {
	bool bad;
	uint64_t erases;
	unsigned wear;  /* erases and programs up to the first that fails; 0: it never does */
	uint32_t fresh; /* the first page behind the last programmed one */
};

struct nand {
	const char *name;
	struct storage_mtd_info info;
	uint8_t *data;
	uint8_t *state; /* of each page: enum page_state of medium_pages.c */
	uint8_t *reads; /* of each page since it came into its state */
	struct nand_block *block;
};

/* ---- UBI volumes (medium_volume.c) ---- */

struct volume {
	const char *name;
	struct storage_ubi_info info;
	uint8_t *data;            /* NULL when a file system lives in it */
	struct filesystem *files; /* or NULL */
	uint64_t announced;       /* bytes of the running update */
	uint64_t received;
	bool updating;
};

/* ---- File systems ---- */

struct xattr {
	char name[64];
	uint8_t value[256];
	size_t size;
};

struct entry {
	char *name;
	struct inode *inode; /* held */
};

/* Everything of an inode that can differ between what programs see and what the flash holds. */
struct life {
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	struct xattr *xattr;
	size_t xattrs;
	uint8_t *data; /* of a regular file */
	size_t size;
	size_t room;
	uint64_t modified;
	struct entry *entry; /* of a directory, in the order they were made */
	size_t entries;
	size_t entry_room;
};

struct inode {
	struct filesystem *files;
	int type; /* of struct storage_stat */
	uint64_t number;
	char *target;   /* of a link */
	uint32_t major; /* of a device node */
	uint32_t minor;
	unsigned references; /* by entries, changes, handles and mounts */
	unsigned names;      /* in the tree that programs see */
	bool linked;         /* it has, or had, more than one */
	unsigned opens;      /* handles */
	size_t pending;      /* changes on the list, other than of names, that are about it */
	bool touched;        /* now may differ from durable */
	struct life now;
	struct life durable;
	struct inode *home;         /* the directory of its durable name, NULL: it has none */
	struct filesystem *mounted; /* on this directory */
	/* Of a settlement only: what becomes of its content (enum fate), how many bytes are un-synced and how many were
	 * seen. */
	unsigned fate;
	uint64_t base; /* durable bytes before */
	uint64_t unsynced;
	uint64_t seen;
};

/* What becomes of a change when the power goes. */
enum fate {
	FATE_DROP,
	FATE_KEEP,
	FATE_ZEROS, /* of a write: the file has grown, nothing is in it */
	FATE_HALF,  /* of a write: the first half of what was appended, every other unit of what was changed in place */
	FATE_EACH,  /* of an inode's content: each of its writes by itself */
	FATE_COUNT,
	FATE_OPEN = FATE_COUNT /* not drawn yet */
};

enum change_kind { CHANGE_NAMES, CHANGE_MODE, CHANGE_OWNER, CHANGE_XATTR, CHANGE_WRITE, CHANGE_TRUNCATE };

struct name_change {
	struct inode *directory;
	char *name;
	struct inode *before; /* what had the name, or NULL */
	struct inode *after;  /* what has it then, or NULL */
};

/* A change that no sync has made durable yet. The inodes are held, the names and xattr owned. */
struct change {
	enum change_kind kind;
	unsigned fate; /* of a settlement: enum fate */
	struct inode *inode;
	uint64_t modified;
	union {
		struct {
			struct name_change name[2]; /* together or not at all */
			unsigned names;
		};
		uint32_t mode;
		struct {
			uint32_t uid;
			uint32_t gid;
		};
		struct xattr *xattr; /* size 0: removed */
		struct {
			uint64_t offset; /* of a write; its bytes are those of the file now */
			uint64_t length;
		};
	};
};

struct filesystem {
	struct medium *medium;
	const char *name; /* of its volume, "/" for the recovery image's own */
	bool is_volatile; /* in memory: durable is what it begins each boot with */
	uint64_t capacity;
	uint64_t used; /* bytes in whole blocks, of what programs see */
	uint64_t read; /* bytes of files */
	uint64_t device;
	uint64_t last_inode;
	struct inode *root;
	struct inode *mounted_on; /* held; NULL: not mounted */
	struct change *change;    /* in the order they were made */
	size_t changes;
	size_t change_room;
};

/* ---- The medium ---- */

struct handle {
	enum { HANDLE_CLOSED, HANDLE_FILE, HANDLE_NAND, HANDLE_VOLUME } kind;
	enum storage_open_mode mode;
	struct inode *inode;
	struct nand *nand;
	struct volume *volume;
	char *path; /* as it was opened */
};

struct medium {
	struct medium_events events;
	struct medium_figures figures;
	uint64_t clock; /* of struct storage_stat's modified */
	struct nand nand[MEDIUM_NANDS];
	size_t nands;
	struct volume volume[MEDIUM_VOLUMES];
	size_t volumes;
	struct filesystem root;
	struct handle handle[MEDIUM_HANDLES];
};

/* Counted heap. */
void *medium_allocate(struct medium *medium, size_t size); /* zeroed */
void *medium_grow(struct medium *medium, void *memory, size_t size);
char *medium_copy_text(struct medium *medium, const char *text);
void medium_release(struct medium *medium, void *memory);

/* End the program: a bug in the code under test, or a simulation that asks for the impossible. */
_Noreturn void medium_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Around each durable operation: announce it, do what the decision says (CUT_NONE and CUT_AFTER: all of it), end it.
 * medium_begin() does not return for CUT_BEFORE, medium_end() only for CUT_NONE.
 */
unsigned medium_begin(struct medium *medium, const struct cut_point *point);
void medium_end(struct medium *medium, unsigned decision);

struct handle *medium_handle(struct medium *medium, int handle);
int medium_new_handle(struct medium *medium, const struct handle *handle, const char *path);

/* ---- medium_pages.c: the states of NAND pages, no operations; pages count from the partition's first ---- */
#define NAND_PROGRAM_TEARS 4
#define NAND_ERASE_TEARS   4

void pages_erase(struct nand *nand, size_t first); /* a block */
void pages_erase_torn(struct nand *nand, size_t first, unsigned tear);

/* Dies when the program breaks a rule of NAND that no reading back would show to be broken. */
void pages_check_program(const struct nand *nand, size_t first, size_t count);
int pages_program(struct nand *nand, size_t first, size_t count, const uint8_t *data); /* -EIO in a worn-out block */
void pages_program_torn(struct nand *nand, size_t first, size_t count, const uint8_t *data, unsigned tear);
void pages_fill(struct nand *nand, size_t page, const uint8_t *data, size_t length); /* of a page; a healthy program */
bool block_wears(struct nand_block *block);               /* by one erase or program more; true: it is worn out */
bool page_read(struct nand *nand, size_t page);           /* whether this read of it can be corrected */
bool page_is_sound(const struct nand *nand, size_t page); /* every read can, now and later */

/* ---- medium_nand.c ---- */
struct nand *nand_find(struct medium *medium, const char *name);
void nand_free(struct medium *medium, struct nand *nand);
int nand_mtd_info(void *medium, int handle, struct storage_mtd_info *info);
int nand_mtd_is_bad(void *medium, int handle, uint64_t offset, bool *bad);
int nand_mtd_mark_bad(void *medium, int handle, uint64_t offset);
int nand_mtd_erase(void *medium, int handle, uint64_t offset);
int nand_mtd_program(void *medium, int handle, uint64_t offset, const void *data, size_t length);
int nand_mtd_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length);

/* ---- medium_volume.c ---- */
struct volume *volume_find(struct medium *medium, const char *name); /* "modem", "ubi0:modem" */
int volume_open(struct medium *medium, struct volume *volume, const char *path, enum storage_open_mode mode);
void volume_close(struct handle *handle);
bool volume_has_handle(const struct medium *medium, const struct volume *volume, bool writers_only);
ssize_t volume_read(struct medium *medium, const struct volume *volume, uint64_t offset, void *buffer, size_t length);
int volume_ubi_info(void *medium, int handle, struct storage_ubi_info *info);
int volume_ubi_update(void *medium, int handle, uint64_t bytes);
int volume_ubi_write(void *medium, int handle, const void *data, size_t length);
int volume_ubi_change(void *medium, int handle, uint32_t leb, const void *data, size_t length);

/* ---- medium_inode.c: inodes and their two lives, no operations ---- */
struct inode *inode_new(struct filesystem *files, int type, uint32_t mode);
struct inode *inode_hold(struct inode *inode);
void inode_release(struct inode *inode);
void inode_resize(struct inode *inode, struct life *life, uint64_t size); /* grows by zeros */
void inode_restore(struct inode *inode);                                  /* it and all below: now is what is durable */
uint64_t inode_blocks(uint64_t size);                                     /* bytes that size takes on the medium */

struct inode *life_find(const struct life *life, const char *name);
void life_set_name(struct medium *medium, struct life *life, const char *name, struct inode *inode); /* NULL: none */
struct xattr *life_find_xattr(const struct life *life, const char *name);
void life_set_xattr(struct medium *medium, struct life *life, const struct xattr *xattr);

/* Give a name a meaning in the tree that programs see, with all that hangs on it (space). */
void inode_set_name(struct inode *directory, const char *name, struct inode *inode);
void inode_add_open(struct inode *inode, int count); /* 1 or -1 */

void files_init(struct medium *medium, struct filesystem *files, const char *name, uint64_t capacity, uint64_t device);
void files_format(struct filesystem *files);
void files_free(struct filesystem *files);

/* ---- medium_changes.c ---- */

/* Do it, and note it as not durable. Inodes get held and name and xattr copied; what the change carries stays the
 * caller's. Of a write and a truncation only the note is made here. */
void change_make(struct filesystem *files, struct change *change);
void change_sync_file(struct inode *inode);
void change_sync_file_half(struct inode *inode);
void change_sync_directory(struct inode *directory);
void change_sync_first(struct filesystem *files, size_t count); /* of the changes */
void change_settle(struct filesystem *files, enum survival survival, uint64_t *random);

/* ---- medium_apply.c ---- */

/* Do to the durable life what the change's fate says. salt: tells the tears of one seed from those of another. */
void change_apply(struct change *change, uint64_t salt);
void change_apply_attributes(const struct change *change, struct life *life);

/* Bytes [offset, end) of a file as programs see them become durable; what a later truncation took are zeros. */
void change_copy_content(struct inode *inode, uint64_t offset, uint64_t end);

/* ---- medium_files.c ---- */
int files_open(struct medium *medium, const char *path, enum storage_open_mode mode);
ssize_t files_read(struct medium *medium, const struct handle *handle, uint64_t offset, void *buffer, size_t length);
int files_write(struct medium *medium, const struct handle *handle, uint64_t offset, const void *data, size_t length);
int files_sync(struct medium *medium, const struct handle *handle);
int files_stat(void *medium, const char *path, struct storage_stat *stat);
void files_fill_stat(const struct inode *inode, const struct life *life, struct storage_stat *stat);
int files_free_space(void *medium, const char *path, uint64_t *bytes);
int files_set_owner(void *medium, const char *path, uint32_t uid, uint32_t gid);
int files_set_mode(void *medium, const char *path, uint32_t mode);
int files_set_xattr(void *medium, const char *path, const char *name, const void *value, size_t size);
ssize_t files_get_xattr(void *medium, const char *path, const char *name, void *value, size_t size);

/* ---- medium_names.c ---- */

#define PLACE_DEPTH 64

/* Where a path leads. */
struct place {
	struct inode *directory; /* that has or could have the name; NULL: the path ends in "/" or ".." */
	struct inode *inode;     /* NULL: there is no such name */
	char name[NAME_MAX + 1];
	struct inode *above[PLACE_DEPTH]; /* all directories on the way, from the root on */
	size_t depth;
};

/* follow: the last component too, if it is a link. Missing is no error for the last component. */
int place_find(struct medium *medium, const char *path, bool follow, struct place *place);
int place_find_existing(struct medium *medium, const char *path, bool follow, struct place *place); /* -ENOENT */

/* As medium_begin(); what happens in memory only is no step. */
unsigned files_begin(const struct filesystem *files, const struct cut_point *point);
void files_end(const struct filesystem *files, unsigned decision);

ssize_t names_read_link(void *medium, const char *path, char *target, size_t size);
int names_list(void *medium, const char *path, int (*each)(void *ctx, const char *name), void *ctx);
int names_rename(void *medium, const char *from, const char *to);
int names_unlink(void *medium, const char *path);
int names_mkdir(void *medium, const char *path, uint32_t mode);
int names_rmdir(void *medium, const char *path);
int names_symlink(void *medium, const char *target, const char *path);
int names_link(void *medium, const char *first, const char *path);
int names_mknod(void *medium, const char *path, int type, uint32_t major, uint32_t minor);
int names_sync_directory(void *medium, const char *path);
void names_add(struct inode *directory, const char *name, struct inode *inode); /* a change; takes the inode */

/* ---- medium_mount.c ---- */
int mount_is_mounted(void *medium, const char *mount_point, bool *mounted);
int mount_mount(void *medium, const char *fs_type, const char *device, const char *mount_point, const char *options);
int mount_unmount(void *medium, const char *mount_point);
void mount_forget(struct filesystem *files); /* unmount, whatever is open */

#endif
