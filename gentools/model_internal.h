/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MODEL_INTERNAL_H
#define GENTOOLS_MODEL_INTERNAL_H

#include "gentools/capability.h"
#include "gentools/model.h"

/* The node that a path leads to. */
int model_look_up(void *medium, const char *path, bool follow, struct model_node **node);

/* The file system that a path is of: nothing moves from one to another, and no file has names in two. */
enum model_area model_area_of(const char *path);

/* A new node, in an existing directory that may hand down its group. */
int model_create(struct model *model, const char *path, enum object_type type, struct model_node **node);

/* UBI volumes (gentools/model_volume.c): where one is found; -ENOENT. */
int model_find_volume(const struct model *model, const char *name, struct storage_location *location);
/* The directory of one that holds a file system, from that location's path; NULL for any other path. */
struct model_node *model_look_up_volume(const struct model *model, const char *path);
int model_op_ubi_info(void *medium, int handle, struct storage_ubi_info *info);
int model_op_ubi_update(void *medium, int handle, uint64_t bytes);
int model_op_ubi_write(void *medium, int handle, const void *data, size_t length);
int model_op_ubi_change(void *medium, int handle, uint32_t leb, const void *data, size_t length);

/* Content, as struct storage_ops has it. */
int model_op_open(void *medium, const char *path, enum storage_open_mode mode);
int model_op_close(void *medium, int handle);
ssize_t model_op_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length);
int model_op_write(void *medium, int handle, uint64_t offset, const void *data, size_t length);
int model_op_size(void *medium, int handle, uint64_t *bytes);
int model_op_sync(void *medium, int handle);

#endif
