/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_IMAGE_PLACE_H
#define GENTOOLS_IMAGE_PLACE_H

/* Where a file system that is unpacked from an image goes: objects like those of a folder. */
#include "gentools/tree.h"

/* A directory that is still to be read. */
struct image_folder {
	char *path;
	void *inode; /* what the file system calls it */
	struct image_folder *next;
};

struct image_place {
	struct tree *tree;
	const char *folder; /* of the tree, where the image's root goes: "SYSTEM" */
	uint64_t room;      /* bytes that may come yet: holes in files cost an image nothing, nor does what is shared */
	struct image_folder *folders; /* NULL before and behind it all */
};

/* What every file system tells of an object. */
struct image_inode {
	uint32_t mode; /* with its type, as in struct stat */
	uint32_t uid;
	uint32_t gid;
	uint32_t links;  /* names */
	uint32_t number; /* what names of one file have in common; not 0 */
	uint32_t device; /* of a device node: its number, as Linux encodes it in 32 bits */
};

/*
 * A new object of the tree with this path. *object is NULL when it is not wanted, and neither is what lies in it
 * (SYSTEM/dev), or when it is the root of an image whose place is there already. -EINVAL for sockets. Further objects
 * may move this one.
 */
int image_place_add(struct image_place *place, const char *path, const struct image_inode *inode,
                    struct object **object, struct error *error);

int image_place_link(struct object *object, const char *target, size_t length, struct error *error);

/* An extended attribute; its name has no NUL at its end. Takes of the room. */
int image_place_xattr(struct image_place *place, struct object *object, const char *name, size_t length,
                      const uint8_t *value, size_t size, struct error *error);

/* Content of a file, in order, between tree_data_start() and tree_data_finish(). */
int image_place_data(struct image_place *place, struct tree_data *data, const void *bytes, size_t length,
                     struct error *error);

/* A directory to be read once this one is; the path is copied. */
int image_place_defer(struct image_place *place, const char *path, void *inode, struct error *error);

/* One of those, for image_place_done(); NULL when there are none left. */
struct image_folder *image_place_next(struct image_place *place);
void image_place_done(struct image_folder *folder);

/* "folder/name" for the caller to free; NULL with the error set when the name is none, or the path too long. */
char *image_place_path(const char *folder, const char *name, size_t length, struct error *error);

#endif
