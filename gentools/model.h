/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MODEL_H
#define GENTOOLS_MODEL_H

/*
 * A module on which a package is tried out: one tree of files, directories, links and nodes as a medium of storage, in
 * which the partition NAME is the file dev/NAME, the UBI volume NAME the file ubi/NAME, and every directory counts as
 * mounted. The volumes rootfs and modem, where they hold no image of their own, are system and system/firmware, which
 * can be formatted. Only metadata is in memory. Modes, owners and extended attributes are those of the model, not of
 * files of the host, so that anybody may run it; like Linux it takes set-id bits and capabilities away when an owner
 * changes.
 *
 * Paths here are relative to the model's root, whose path is "". Functions return 0 or a negative errno value.
 */
#include "gentools/body.h"
#include "gentools/tree.h"
#include "storage/storage.h"

#define MODEL_OPEN_MAX 64

struct model_xattr {
	char *name;
	void *value;
	size_t size; /* bytes */
};

/* What an upgrade costs, by where it costs it: the system, the modem's, /cache, and whatever is neither of them. */
enum model_area { MODEL_SYSTEM, MODEL_FIRMWARE, MODEL_CACHE, MODEL_PARTITIONS, MODEL_AREAS };

struct model_inode {
	enum object_type type;
	uint32_t mode; /* permission bits */
	uint32_t uid;
	uint32_t gid;
	char *link;              /* of a link: where it points */
	struct object_node node; /* of a node */
	struct body body;
	struct model_xattr *xattrs;
	size_t xattr_count;
	uint64_t number;
	uint64_t modified; /* on the model's clock */
	unsigned names;    /* nodes that lead here */
	unsigned opened;   /* handles; the last of both takes it along */
	enum model_area area;
	bool formatted;             /* the root of a file system that was made anew */
	bool volume;                /* of UBI, which holds an image */
	uint32_t leb;               /* bytes; of such a volume, 0: not known, and no LEB of it can be changed */
	uint64_t updated;           /* bytes of such a volume's present update */
	const struct object *image; /* of a partition: where its content came from; the loader's */
};

/* A name. */
struct model_node {
	char *path;
	struct model_inode *inode;
};

/* Bytes of content. What was there before the first operation counts for nothing. */
struct model_account {
	uint64_t read;
	uint64_t written;
	int64_t grown; /* fewer when negative */
	int64_t peak;  /* the most that grown ever was */
};

struct model {
	struct model_node **nodes; /* by tree_compare_paths(); the root is the first */
	size_t count;
	size_t capacity;
	struct body_store store;
	struct model_inode *handles[MODEL_OPEN_MAX];
	uint64_t clock;
	bool full; /* the temporary file could not grow */
	struct model_account accounts[MODEL_AREAS];
};

/* Only a root directory. Ends with model_free(), also after a failure. */
int model_open(struct model *model);
void model_free(struct model *model);

/* A new node, root's and with mode 0; missing parents are made, mode 0755. -EEXIST, -ENOMEM. */
int model_add(struct model *model, const char *path, enum object_type type, struct model_node **node);

/* The same, one more name of an inode that is no directory. */
int model_link(struct model *model, const char *path, struct model_inode *inode);

/* NULL when there is none; links are not followed. */
struct model_node *model_find(const struct model *model, const char *path);

/* Take the name out. Nothing may lie below it. */
void model_remove(struct model *model, struct model_node *node);

/* The inode is about to have so many bytes more, or fewer. */
void model_grow(struct model *model, const struct model_inode *inode, int64_t bytes);

/* One handle of an open inode less. */
void model_release(struct model *model, struct model_inode *inode);

/* Another path in its file system for a node and all below it; nothing may be there. */
int model_rename(struct model *model, struct model_node *node, const char *path);

/* Position of the first node that does not come before path. */
size_t model_position(const struct model *model, const char *path);

/*
 * A path as programs write it to one of a node: "." and ".." taken as text, links on the way followed, and the last one
 * too if so wanted. The node itself need not exist. -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG.
 */
int model_resolve(const struct model *model, const char *path, bool follow, char resolved[STORAGE_PATH_MAX]);

/* Size 0 removes. -ENODATA when there is none to remove. */
int model_set_xattr(struct model_inode *inode, const char *name, const void *value, size_t size);
const struct model_xattr *model_get_xattr(const struct model_inode *inode, const char *name);

/* The operations of the medium; it is a struct model. */
struct storage_ops model_ops(void);

#endif
