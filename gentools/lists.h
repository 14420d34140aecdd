/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_LISTS_H
#define GENTOOLS_LISTS_H

/*
 * The lists by which an integrator has single objects upgraded in another way (spec/requirements.md C 21-25). Text
 * files: one object per line, '#' starts a line of comment, blanks around, a byte order mark and CRLF are tolerated.
 * Paths are those of targetfiles.zip ("SYSTEM/etc/x") or of the module ("/etc/x"), with or without the first slash.
 *
 *   fullota, noota   PATH            itself and all that lies in it; *, ? and [...] stand for parts of one name
 *   chmod            PATH [FILE_MODE UID GID [FOLDER_MODE]]
 *                                    with a final slash a folder and all that lies in it, otherwise what is no folder;
 *                                    no wildcards and no blanks; without numbers 755 0 0 755, or what the last line
 *                                    above with "default" as its path says; of several lines for a path the last counts
 *   multifota        IMAGE [PARTITION]
 *                                    a file of MULTIFOTA; without PARTITION that of the name up to the first dot;
 *                                    UBI:NAME is a UBI volume. The documents do not show this list's lines, so that
 *                                    its grammar is ours.
 */
#include "base/log.h"
#include "gentools/gentools.h"
#include "gentools/tree.h"

struct list_attributes {
	unsigned file_mode;
	unsigned folder_mode;
	int64_t uid;
	int64_t gid;
};

struct list_line {
	unsigned number;                   /* in its file, from 1 */
	char *path;                        /* as in the trees */
	bool pattern;                      /* the path has wildcards */
	bool folder;                       /* of chmod: the path ended with a slash */
	struct list_attributes attributes; /* of chmod */
	char *partition;                   /* of multifota, NULL when the image's name tells it */
	bool volume;                       /* the partition is a UBI volume */
};

struct list {
	char *file; /* its path, NULL when there is no such list */
	struct list_line *lines;
	size_t count;
	size_t capacity;
};

struct lists {
	struct list list[GEN_LISTS]; /* by enum gen_list */
	unsigned parts;              /* of enum gen_part: what is upgraded */
	size_t kept;                 /* objects of either version that noota keeps */
	size_t kept_changes;         /* those of them that the target has otherwise */
};

/* The documented name of its file. */
const char *list_name(enum gen_list kind);

/*
 * Read the lists of these files, and of a folder (NULL for none) those of the documented names that are there and have
 * no file of their own. Ends with lists_free(), also after a failure.
 */
int lists_read(struct lists *lists, const char *const files[GEN_LISTS], const char *folder, const struct log *log,
               struct error *error);
void lists_free(struct lists *lists);

/*
 * Make the target what the module shall have behind the upgrade: what is kept is as in the source, with its data in the
 * source's spool, modes and owners are those of the chmod list, and images know their partition. Files of the source
 * that are on either list are marked as `whole`, too: what the module has there is not known. The error names both
 * lines of a contradiction: what is kept is not replaced, upgraded or given a mode, and an image has one partition.
 * The log gets what noota keeps otherwise than the target has it, and the lines that are for nothing in either version.
 * Only the parts (enum gen_part) that are upgraded count as kept.
 */
int lists_apply(struct lists *lists, struct tree *source, struct tree *target, unsigned parts, const struct log *log,
                struct error *error);

/* How much of the target does not reach the module, once more for the end of the log. */
void lists_report(const struct lists *lists, const struct log *log);

/* Add the lines of a text to a list whose file is set. The error names file and line. */
int list_parse(struct list *list, enum gen_list kind, const char *text, size_t length, struct error *error);

/* The first line for this path, or for a folder that it lies in; NULL when there is none. Not for chmod. */
const struct list_line *list_find(const struct list *list, const char *path);

/* The first line for something that may lie in this folder, whether or not a version has it there; NULL for none. */
const struct list_line *list_find_inside(const struct list *list, const char *folder);

/* Whether the tree has anything that the line is for. */
bool list_line_is_used(const struct list_line *line, const struct tree *tree);

/* A line of the chmod list in words, with defaults for those that leave them out. -EINVAL, and the cause. */
int list_parse_attributes(struct list_line *line, char **words, size_t count, struct list_attributes *defaults,
                          const char **cause);

/* The chmod list's part of lists_apply(). */
void lists_set_attributes(const struct lists *lists, struct tree *target, const struct log *log);

#endif
