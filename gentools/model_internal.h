/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MODEL_INTERNAL_H
#define GENTOOLS_MODEL_INTERNAL_H

#include "gentools/capability.h"
#include "gentools/model.h"

/* The node that a path leads to. */
int model_look_up(void *medium, const char *path, bool follow, struct model_node **node);

/* A new node, in an existing directory that may hand down its group. */
int model_create(struct model *model, const char *path, enum object_type type, struct model_node **node);

/* Content, as struct storage_ops has it. */
int model_op_open(void *medium, const char *path, enum storage_open_mode mode);
int model_op_close(void *medium, int handle);
ssize_t model_op_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length);
int model_op_write(void *medium, int handle, uint64_t offset, const void *data, size_t length);
int model_op_size(void *medium, int handle, uint64_t *bytes);
int model_op_sync(void *medium, int handle);

#endif
