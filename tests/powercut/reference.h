/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POWERCUT_REFERENCE_H
#define TESTS_POWERCUT_REFERENCE_H

/*
 * A reference package: two versions of a module's flash, the package that leads from the one to the other, and what
 * must come of it. Made once at the start; everything is the same at each start. Whatever goes wrong here ends the
 * program: there is nothing to simulate then.
 */
#include "base/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define REFERENCE_PLACES 8
#define REFERENCE_ASSETS 24

#define PAGE_SIZE_OF_NAND  2048u
#define BLOCK_SIZE_OF_NAND 16384u
#define LONG_BLOCK         65536u /* with more pages, so that misc's journal has as much room as on real boards */

enum shape { SHAPE_NONE, SHAPE_FILE, SHAPE_DIRECTORY, SHAPE_LINK, SHAPE_NODE, SHAPE_RAW };

struct version {
	enum shape shape;
	uint8_t *data; /* of a link its target, with a NUL behind it */
	size_t size;   /* bytes, without that NUL */
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	char node; /* what kind of node: 'c', 'b', 'p' */
	uint32_t major;
	uint32_t minor;
	const char *
		first; /* of a file: the path of an asset before it, whose file it is a name of; NULL: its own file's */
	const char *xattr; /* the name of its only extended attribute, NULL: it has none */
	const char *value; /* that one's */
};

/* A file, link, directory, node, partition or volume. One whose versions are the same must not change at all. */
struct asset {
	const char *place; /* the name of a place */
	char path[64];     /* in the place's file system; "" for raw content */
	struct version old;
	struct version new;
	bool stays;                 /* the package must fail before it: it ends as it was */
	bool whole;                 /* raw, and written from the package, so that it needs no backup */
	uint32_t unit;              /* raw, and changed in place, so many bytes at a time; 0: not so */
	bool gap;                   /* it is removed before its new version comes */
	struct version via;         /* what else it may be on the way; SHAPE_NONE: nothing */
	const struct asset *origin; /* of a file that moved and is `via` then: where it was; NULL: it did not */
};

enum place_kind { PLACE_NAND, PLACE_VOLUME, PLACE_STATIC_VOLUME, PLACE_FILES };

struct place {
	const char *name;
	enum place_kind kind;
	uint32_t blocks;      /* of NAND and volumes */
	uint32_t block_size;  /* of NAND, bytes */
	uint64_t bytes;       /* of a file system */
	const char *mounted;  /* of a file system: where scripts see it, "/system" */
	uint32_t factory_bad; /* of NAND: 1 + the block that was bad from the start; 0: none */
};

struct reference {
	const char *name;
	struct place places[REFERENCE_PLACES]; /* the first one is misc */
	unsigned place_count;
	struct asset assets[REFERENCE_ASSETS];
	unsigned asset_count;

	uint8_t *package;
	size_t package_size;
	const char *package_path;
	uint8_t *second; /* the package that goes on, NULL: the first one is all; see SECOND_PATH in boot.h */
	size_t second_size;
	bool native;                 /* made for this project's updaters alone */
	bool full;                   /* made without any knowledge of the old version */
	const struct asset *release; /* the link to the release that is in use; NULL: there is none (release.c) */
	bool named;                  /* armed with its path; else recovery takes its default */
	int end_code;                /* of END */
	unsigned backups;            /* made when power is never cut */
	const char *blamed;          /* what last_log must name; NULL when the package is good */
};

/* NULL behind the last one. */
const char *reference_name(unsigned index);
const char *reference_summary(unsigned index);

/* -1: there is none of that name. */
int reference_find(const char *name);

struct reference *reference_make(unsigned index);
struct reference *reference_new(const char *name); /* nothing in it */
void reference_free(struct reference *reference);

struct place *reference_place(struct reference *reference, const char *name);
struct asset *reference_asset(struct reference *reference, const char *place, const char *path);

bool version_equal(const struct version *a, const struct version *b);

/* Does this asset's old content have to be in the backup while the new one is written? */
bool asset_needs_backup(const struct asset *asset);

bool asset_is_nand(const struct reference *reference, const struct asset *asset);

/* "/system/bin/app", "boot": as it is called in scripts and logs. */
const char *asset_label(const struct reference *reference, const struct asset *asset, char label[128]);

/* ---- What makes them (assets.c, bundle.c) ---- */

void reference_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The module that all of them have: misc of such blocks, a normal system, user data, what nobody may touch. */
void add_module(struct reference *reference, uint32_t misc_blocks, uint32_t misc_block_size);

struct place *add_nand(struct reference *reference, const char *name, uint32_t blocks);
struct place *add_volume(struct reference *reference, const char *name, uint32_t blocks, bool is_static);
struct place *add_files(struct reference *reference, const char *name, uint64_t bytes, const char *mounted);

/* Content is noise that the seed tells; a changed one differs by single bytes and its length. path NULL: raw. */
struct asset *add_same(struct reference *reference, const char *place, const char *path, size_t size, unsigned seed);
struct asset *add_changed(struct reference *reference, const char *place, const char *path, size_t old_size,
                          size_t new_size, unsigned seed);
struct asset *add_new(struct reference *reference, const char *place, const char *path, size_t size, unsigned seed);
struct asset *add_gone(struct reference *reference, const char *place, const char *path, size_t size, unsigned seed);

/* A file that is elsewhere in the new version; with other content unless the sizes are the same. */
struct asset *add_moved(struct reference *reference, const char *place, const char *from, const char *to,
                        size_t old_size, size_t new_size, unsigned seed);
/* A new file that is another version of one that is there. */
struct asset *add_copied(struct reference *reference, const struct asset *asset, const char *to, size_t size,
                         unsigned seed);
struct asset *add_texts(struct reference *reference, const char *place, const char *path, const char *old,
                        const char *new); /* NULL: there is none */
struct asset *add_link(struct reference *reference, const char *place, const char *path, const char *old,
                       const char *new);
struct asset *add_directory(struct reference *reference, const char *place, const char *path, uint32_t mode,
                            uint32_t uid);
/* What another name of the file is. */
struct version version_of_name(const struct version *version, const char *first);
void set_attributes(struct version *version, uint32_t mode, uint32_t uid, uint32_t gid);

/* Something of these shapes, not only of these contents; SHAPE_NONE: nothing. The text is a file's or a link's. */
struct asset *add_shapes(struct reference *reference, const char *place, const char *path, enum shape old,
                         enum shape new, const char *text);
void set_node(struct version *version, char kind, uint32_t major, uint32_t minor);

/* Leave no room in rootfs for a new version beside its old one; when all assets are there. */
void make_scarce(struct reference *reference);

/* In files of their own, moved.c, minimal.c, kinds.c, hardlinks.c and units.c. */
void make_moved_files(struct reference *reference);
void make_moved_low_space(struct reference *reference);
void make_minimal(struct reference *reference);
void make_minimal_small_misc(struct reference *reference);
void make_full(struct reference *reference);
void make_formatted(struct reference *reference);
void make_app(struct reference *reference);
void make_nodes(struct reference *reference);
void make_hard_links(struct reference *reference);
void make_in_place(struct reference *reference);

/* A zip archive. */
struct bundle;
struct bundle *bundle_new(void);
void bundle_add(struct bundle *bundle, const char *name, const void *data, size_t size);
void bundle_add_version(struct bundle *bundle, const char *name, const struct version *version);
void bundle_finish(struct bundle *bundle, uint8_t **bytes, size_t *size); /* the bundle is gone, the caller frees */

/* The package that update_gen makes of both versions. Partition boot is the kernel, others are multi-FOTA images. */
void bundle_generate(struct reference *reference);
void bundle_generate_minimal(struct reference *reference, uint64_t max_package); /* two of them, of so many bytes */

/*
 * The package that `update_gen app` makes of the assets below MOUNTED.releases/NEW_RELEASE, for the link at MOUNTED, a
 * path as scripts see it. Their paths, and the new target of the reference's release, get its name instead.
 */
#define NEW_RELEASE "new"
void bundle_generate_app(struct reference *reference, const char *mounted);

/* All of a file; the caller frees. */
void bundle_read_file(const char *path, uint8_t **bytes, size_t *size);

#define MOUNT_SYSTEM "mount(\"ubifs\", \"UBI\", \"rootfs\", \"/system\");\n"

/* A package of a script, which may refer to what is named below, and the entries it needs. */
struct scripted {
	struct reference *reference;
	struct bundle *bundle;
	FILE *script;
	char *text;
	size_t text_size;
};

void scripted_begin(struct scripted *scripted, struct reference *reference);
void scripted_add(struct scripted *scripted, const char *format, ...) __attribute__((format(printf, 2, 3)));
void scripted_check(struct scripted *scripted, const struct asset *asset, const char *before, const char *after);
void scripted_entry(struct scripted *scripted, const struct asset *asset); /* the patch */
void scripted_apply(struct scripted *scripted, const struct asset *asset, const char *after);
void scripted_patch(struct scripted *scripted, const struct asset *asset, const char *after); /* both */
/* Both for a file that is made of another one. */
void scripted_copy(struct scripted *scripted, const struct asset *from, const struct asset *copy, const char *after);
void scripted_end(struct scripted *scripted);

/* Digests and names as scripts have them: returns text. */
const char *version_sha1(const struct version *version, char text[DIGEST_TEXT_SIZE]);
const char *asset_script_name(const struct reference *reference, const struct asset *asset, char text[256]);

#endif
