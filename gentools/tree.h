/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_TREE_H
#define GENTOOLS_TREE_H

/*
 * One targetfiles.zip, or the folder that it was unpacked to: its metadata in memory, its data in a spool. What SYSTEM
 * and SYSTEM/firmware have may come as images of file systems, and is unpacked (gentools/image.h).
 */
#include "base/digest.h"
#include "base/error.h"
#include "gentools/gentools.h"
#include "gentools/spool.h"
#include <stdbool.h>
#include <sys/types.h>

enum object_type { OBJECT_FILE, OBJECT_DIRECTORY, OBJECT_LINK, OBJECT_NODE };

/* A device node or FIFO. */
struct object_node {
	char kind;      /* 'c', 'b', 'p' */
	uint32_t major; /* of a device */
	uint32_t minor;
};

/* What names of partitions are of: they go into a script, and into pseudo-names with colons. */
#define TREE_PARTITION_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

struct object {
	char *path; /* as in the archive, like "SYSTEM/etc/passwd", without a final slash */
	enum object_type type;
	bool implied;   /* a directory that only its content shows: no mode or owner is known */
	bool whole;     /* to be written in any case, whatever the module has there (fullota list) */
	bool forced;    /* mode and owner are to be set in any case (chmod list) */
	bool anew;      /* of the target: to be removed, and written anew; hardlinks_plan()'s, as is the next */
	bool held;      /* of the source: not to be renamed */
	bool has_names; /* of a file: whether it has more names is known, as of a zip archive it is not */
	unsigned mode;  /* permission bits */
	int64_t uid;
	int64_t gid;
	bool has_capabilities;       /* of a file: they are known, as those of a zip archive are not */
	uint64_t capabilities;       /* the permitted set, which is effective; 0: none */
	bool has_xattrs;             /* other extended attributes are known; not those of a zip archive either */
	struct object_xattr *xattrs; /* by name (gentools/tree_xattr.h) */
	size_t xattr_count;
	size_t file; /* names of the same number are of one file; 0: of a file with no other name in the tree */
	struct {
		uint64_t device;
		uint64_t inode;     /* 0: the file has only one name */
	} origin;                   /* of a file: where it was read */
	struct object_node node;    /* of a node */
	char *link;                 /* of a link: where it points */
	char *partition;            /* of an image: where it goes (multifota list, volume); NULL: its name tells */
	bool volume;                /* of an image: that is a UBI volume, and not a partition */
	bool is_static;             /* of a volume: it has no LEBs that can be changed */
	uint32_t unit;              /* of an image: struct gen_units' for its place, 0: not known; units_settle()'s */
	struct extent data;         /* of a file */
	struct digest_value digest; /* of a file, of the tree's kind */

	const struct object *first;      /* of the target: the name of its file that it follows; hardlinks_plan()'s */
	const struct object *apart_from; /* the same: a name of a file that it must not share with */
};

struct tree {
	const char *name;       /* path of the archive or folder; the caller's, or `place` */
	char *place;            /* what tree_locate() has found */
	struct object *objects; /* by tree_compare_paths(), no path twice, every parent there */
	size_t count;
	size_t capacity;
	struct spool spool;
	enum digest_kind digests; /* of the files */
	size_t linked_files;      /* of folders and images: files of SYSTEM that have several names */
	size_t hard_links;        /* and these names */
	struct gen_units units;   /* of the flash that its images with UBI are for; 0: none, or several */
	char *notes;              /* what the log should tell of how it was read, lines; NULL for none */
};

/*
 * The archive or folder that is meant: the path itself, or what lies in it as v1/targetfiles.zip, v1/targetfiles or
 * v1/upgrade/targetfiles.zip. NULL when there is no memory; the caller frees it.
 */
char *tree_locate(const char *path);

/* The error of what is no firmware, and why. */
int tree_is_none(const struct tree *tree, struct error *error);

/* Of tree_locate(path). Ends with tree_free(), also after a failure. The tree must stay where it is: its objects point
 * to its spool. */
int tree_read(struct tree *tree, const char *path, enum digest_kind digests, struct error *error);
void tree_free(struct tree *tree);

/* A new last object, a directory, with a copy of the path's first length bytes. NULL when there is no memory. */
struct object *tree_add(struct tree *tree, const char *path, size_t length);

/* Content that goes into a file of the tree piece by piece; the object must not move meanwhile. */
struct tree_data {
	struct tree *tree;
	struct object *object;
	struct digest digest;
};

void tree_data_start(struct tree_data *data, struct tree *tree, struct object *object);
int tree_data_add(struct tree_data *data, const void *bytes, size_t length);
void tree_data_finish(struct tree_data *data);

/* Put the objects in their order once more. */
void tree_sort(struct tree *tree);

const struct object *tree_find(const struct tree *tree, const char *path);

/* Make it the device node or FIFO that the mode tells of. False when that tells of neither. */
bool object_set_node(struct object *object, unsigned mode, uint32_t major, uint32_t minor);
bool object_same_node(const struct object *a, const struct object *b); /* also when neither is one */

/* Another object of the same content, whose data stays in its spool. -ENOMEM; ends with object_clear() in any case. */
int object_copy(struct object *copy, const struct object *object);
void object_clear(struct object *object);

/*
 * For a walk through two trees at once, which one's next object comes first: below 0 the first's, above 0 the second's,
 * 0 both have the path. One of them has a next one.
 */
int tree_compare_next(const struct tree *first, size_t i, const struct tree *second, size_t j);

/* The order of a walk: a directory is followed by all that is in it. */
int tree_compare_paths(const char *a, const char *b);

/* Whether path is folder itself or lies in it. */
bool path_in(const char *path, const char *folder);

#endif
