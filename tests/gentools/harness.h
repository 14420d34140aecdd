/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GENTOOLS_HARNESS_H
#define TESTS_GENTOOLS_HARNESS_H

/* Two small firmware versions, a package between them, and what its script calls in which order. */
#include "gentools/gentools.h"
#include "package/package.h"

#include <check.h>
#include <sys/stat.h>

struct item {
	const char *path; /* NULL ends a list */
	unsigned type;    /* S_IFREG, S_IFDIR, S_IFLNK; 0: take this path out of the base */
	unsigned mode;
	unsigned uid;
	unsigned gid;
	const char *text; /* content, target; NULL: content is noise */
	size_t noise;     /* bytes */
	unsigned seed;    /* position of a change in the noise, 0: none */
	unsigned stream;  /* of the noise: contents of two streams have nothing in common */
};

#define ITEM_FILE(path_, mode_, text_)                                                                                 \
	{                                                                                                              \
		.path = (path_), .type = S_IFREG, .mode = (mode_), .text = (text_)                                     \
	}
#define ITEM_NOISE(path_, size_, change_)                                                                              \
	{                                                                                                              \
		.path = (path_), .type = S_IFREG, .mode = 0644, .noise = (size_), .seed = (change_)                    \
	}
#define ITEM_STREAM(path_, size_, change_, stream_)                                                                    \
	{                                                                                                              \
		.path = (path_), .type = S_IFREG, .mode = 0644, .noise = (size_), .seed = (change_),                   \
		.stream = (stream_)                                                                                    \
	}
#define ITEM_DIR(path_)                                                                                                \
	{                                                                                                              \
		.path = (path_), .type = S_IFDIR, .mode = 0755, .text = ""                                             \
	}
#define ITEM_LINK(path_, target_)                                                                                      \
	{                                                                                                              \
		.path = (path_), .type = S_IFLNK, .mode = 0777, .text = (target_)                                      \
	}
#define ITEM_NONE(path_)                                                                                               \
	{                                                                                                              \
		.path = (path_)                                                                                        \
	}
#define ITEM_END                                                                                                       \
	{                                                                                                              \
		.path = NULL                                                                                           \
	}

struct run {
	char folder[64]; /* temporary, with source.zip, target.zip and update.zip */
	uint8_t *bytes;  /* of update.zip, NULL when there is none */
	struct memory_block block;
	struct reader reader;
	struct package *package;
	char *script;
	char *calls; /* what the script called, one line each: name(argument,argument,...) */
	char *log;   /* lines of the generator's log */
	struct error error;
	int result;
};

/* Base plus items: SYSTEM/etc/quectel-project-version, SYSTEM/bin/same, SYSTEM/lib/same, BOOTABLE_IMAGES/boot.img ...
 */
void write_firmware(const char *path, const struct item *items);

/* Generate, and when that worked, open, test and run the package. */
void run_start(struct run *run, const char *parts, const struct item *source, const struct item *target);
void run_end(struct run *run);

/* The same with lists, by enum gen_list: their texts, NULL for none. Their files are named "list0" and so on. */
void run_start_listed(struct run *run, const char *parts, const struct item *source, const struct item *target,
                      const char *const lists[GEN_LISTS]);

/* The same with these options over those that the harness sets. */
void run_start_with(struct run *run, const char *parts, const struct item *source, const struct item *target,
                    const char *const lists[GEN_LISTS], const struct gen_options *more);

/* The line of the calls that starts with this text, as a position in calls; -1 when there is none. */
long find_call(const struct run *run, const char *start);

/* Whether there is exactly this line. */
bool has_call(const struct run *run, const char *line);

bool has_entry(const struct run *run, const char *name);

/*
 * What the script patches in this place, a path or the beginning of a partition's name, is patched with an entry that
 * makes the item's new content from its old one.
 */
void check_patch(const struct run *run, const char *place, const struct item *old, const struct item *new);

/* Content of an item; the caller frees it. */
uint8_t *item_content(const struct item *item, size_t *size);

#endif
