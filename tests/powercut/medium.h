/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POWERCUT_MEDIUM_H
#define TESTS_POWERCUT_MEDIUM_H

/*
 * A module's media in memory, with what a power cut really leaves behind: raw NAND, UBI volumes, file systems that keep
 * only what was synced. The crash model and its sources are described in tests/powercut/README.md. All of it is plain
 * memory, so that fork() makes a copy of the whole module in the middle of any operation.
 */
#include "storage/storage.h"

/* ---- Operations and cuts ---- */

/*
 * One durable operation that is about to happen. Operations that fail (-ENOENT ...) are none, nor is what changes
 * memory only (the root file system), opens an existing file for appending, or syncs a volume, which writes through.
 */
struct cut_point {
	const char *verb;   /* "program", "erase", "markbad", "create", "append", "write", "sync", "rename", ... */
	const char *object; /* "misc", "/usrdata/cache/saved.file"; of a rename the new name */
	uint64_t offset;    /* bytes; of an operation that has none, 0 */
	uint64_t length;    /* the same */
	unsigned tears;     /* ways in which this operation can be cut half-way; 0: it is atomic */
};

/* What becomes of it. CUT_TORN + n is its n-th tear, n < tears. */
enum cut_decision { CUT_NONE, CUT_BEFORE, CUT_AFTER, CUT_TORN };

struct medium_events {
	unsigned (*step)(void *ctx, const struct cut_point *point); /* enum cut_decision */
	void (*power_off)(void *ctx); /* the operation was cut as decided; does not return (longjmp) */
	void *ctx;
};

struct medium;

/* events may be changed later through medium_events(). Runs out of memory: abort(). */
struct medium *medium_new(const struct medium_events *events);
struct medium_events *medium_events(struct medium *medium);
void medium_free(struct medium *medium);

/* Over a struct medium. find() yields "nand:NAME" and "volume:NAME", which open() and mount() take. */
extern const struct storage_ops medium_ops;

/* What is left of changes that no sync has made durable. */
enum survival {
	SURVIVAL_NOTHING,    /* all un-synced changes are gone */
	SURVIVAL_EVERYTHING, /* all of them made it */
	SURVIVAL_EMPTY,      /* names, attributes, truncations made it, what was written since not: zero-length files */
	SURVIVAL_TORN,   /* the same, and half of what was appended, zeros behind it; in place every other 512 bytes */
	SURVIVAL_PREFIX, /* the first so many changes in the order they were made, drawn by seed (UBIFS's journal) */
	SURVIVAL_SOME,   /* any subset, drawn by seed; each change and each file's content by itself */
	SURVIVAL_COUNT
};

/*
 * Power is gone: apply the survival rule, close every handle, unmount everything, forget the root file system in
 * memory (it is made anew from what medium_add_root_*() were told).
 */
void medium_crash(struct medium *medium, enum survival survival, uint64_t seed);

/* An orderly end of a boot: everything synced, then as after a crash. */
void medium_reboot(struct medium *medium);

/* ---- What the module has ---- */

/* NAND partition, found as MTD by its name. The names are borrowed. */
void medium_add_nand(struct medium *medium, const char *name, uint32_t blocks, uint32_t erase_size, uint32_t page_size);

/* UBI volume of so many logical erase blocks. */
void medium_add_volume(struct medium *medium, const char *name, uint32_t lebs, uint32_t leb_size, bool is_static);

/* File system on a UBI volume of its own: what is mounted with this device name, of so many bytes. Emptying the volume
 * formats it; how UBIFS lays out its nodes there is not modelled, so that it is neither read nor written raw. */
void medium_add_file_system(struct medium *medium, const char *volume, uint64_t bytes);

/* A symbolic link or directory of the recovery image's root file system, there at each boot. */
void medium_add_root_link(struct medium *medium, const char *path, const char *target);
void medium_add_root_directory(struct medium *medium, const char *path);
void medium_add_root_file(struct medium *medium, const char *path, const void *data, size_t size);

/* ---- Faults beside cuts ---- */

/* From its count-th erase or program on (1: the next one), this block fails with -EIO until it is marked bad. */
void medium_wear_out(struct medium *medium, const char *nand, uint32_t block, unsigned count);
void medium_make_bad(struct medium *medium, const char *nand, uint32_t block); /* from the factory */

/* ---- A look from outside, and factory programming: durable at once, no operation, no cut ---- */

/* Content of the good blocks from the first on, or from an offset in them; false when an ECC error or an unstable page
 * lies in it. */
bool medium_read_nand(struct medium *medium, const char *nand, void *data, size_t length);
bool medium_read_nand_at(struct medium *medium, const char *nand, uint64_t offset, void *data, size_t length);
void medium_write_nand(struct medium *medium, const char *nand, const void *data, size_t length);
bool medium_read_volume(struct medium *medium, const char *volume, void *data, size_t length); /* false: interrupted */
void medium_write_volume(struct medium *medium, const char *volume, const void *data, size_t length);

/* volume: that of a file system, "/" for the root file system. Path within it, "/etc/x", links in it not followed;
 * parents are made. Putting syncs what is un-synced. durable: as a crash with SURVIVAL_NOTHING would leave it. */
void medium_put_file(struct medium *medium, const char *volume, const char *path, const void *data, size_t length,
                     uint32_t mode);
void medium_put_link(struct medium *medium, const char *volume, const char *path, const char *target);
void medium_put_directory(struct medium *medium, const char *volume, const char *path);
void medium_put_name(struct medium *medium, const char *volume, const char *path, const char *first); /* of its file */
void medium_put_node(struct medium *medium, const char *volume, const char *path, const struct storage_stat *node);
void medium_put_xattr(struct medium *medium, const char *volume, const char *path, const char *name,
                      const char *value); /* of what is there */
const uint8_t *medium_file(struct medium *medium, const char *volume, const char *path, bool durable, size_t *length);
bool medium_stat(struct medium *medium, const char *volume, const char *path, bool durable, struct storage_stat *stat);
const char *medium_link(struct medium *medium, const char *volume, const char *path, bool durable);

/* Has it this extended attribute, and no other? name NULL: has it none? */
bool medium_has_xattr(struct medium *medium, const char *volume, const char *path, bool durable, const char *name,
                      const char *value);

/* Call each() for every object of a file system but its root directory, parents first. */
void medium_walk(struct medium *medium, const char *volume, bool durable,
                 void (*each)(void *ctx, const char *path, const struct storage_stat *stat), void *ctx);

/* ---- Figures ---- */

struct medium_figures {
	uint64_t operations;   /* durable operations begun so far */
	uint64_t erases;       /* of all NAND blocks */
	uint64_t block_erases; /* of the most erased one */
	uint64_t bytes_read;   /* through storage_ops: of files, NAND and volumes */
	uint64_t bytes_written;
	uint64_t allocated; /* heap that the model itself holds now, bytes */
};
struct medium_figures medium_figures(const struct medium *medium);

/* Bytes of files read through storage_ops from this file system. */
uint64_t medium_files_read(struct medium *medium, const char *volume);

/* Bytes of content in a directory of a file system now, below it too; 0 when it is not there. */
uint64_t medium_usage(struct medium *medium, const char *volume, const char *directory);

#endif
