/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_TREE_XATTR_H
#define GENTOOLS_TREE_XATTR_H

/*
 * Extended attributes of objects of SYSTEM: user.* (of links there are none), security.* and trusted.*, which are what
 * UBIFS has. Capabilities are not among them (gentools/capability.h). A folder's security.selinux, security.ima,
 * security.evm and trusted.* are left: its host's kernel made them, for itself.
 */
#include "gentools/tree.h"

struct object_xattr {
	char *name;
	uint8_t *value;
	size_t size; /* bytes */
};

/* One more of an object, whose others have other names; one that is not carried is left. -ENOMEM. */
int object_add_xattr(struct object *object, const char *name, const void *value, size_t size);

/* Add what a path of the host has, links not followed. A negative errno value. */
int object_read_xattrs(struct object *object, const char *path);

/* NULL when there is none of this name. */
const struct object_xattr *object_find_xattr(const struct object *object, const char *name);

/* Whether new asks for nothing that old has not: what is not known of it stays as it is. */
bool object_same_xattrs(const struct object *old, const struct object *new);

int object_copy_xattrs(struct object *copy, const struct object *object); /* copy's are lost; -ENOMEM */
void object_clear_xattrs(struct object *object);                          /* and they are not known */

/* From here on no object's are known. How many there were. */
size_t tree_drop_xattrs(struct tree *tree);

/* -EINVAL for a value that no script can set. */
int tree_check_xattrs(const struct tree *tree, struct error *error);

#endif
