/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_RECIPE_CONTAINER_H
#define PATCH_RECIPE_CONTAINER_H

/* What lies around a coder's output in the containers of recipe.h: all of it follows from the data and the recipe. */
#include "patch/recipe.h"

/* In front of the coder's output, or behind it. */
#define CONTAINER_END_MAX 1152

struct container {
	struct recipe recipe;
	const struct container_ops *ops;
	const struct sink *behind;
	struct error *error;
	uint64_t sum; /* of the plain data so far, as the container has it */
	uint64_t plain_size;
	uint64_t coded_size;
	uint8_t *held; /* the coder's output, where what lies in front depends on it; owned */
	size_t held_room;
};

/* What a container brings; what it needs not is NULL. */
struct container_ops {
	bool (*is_known)(const struct recipe *recipe);
	bool (*holds)(const struct recipe *recipe); /* back the coder's output; NULL: never */
	int (*strip)(const struct recipe *recipe, const struct reader *raw, uint64_t *at, uint64_t *size,
	             struct error *error);
	uint64_t first_sum;
	uint64_t (*add)(const struct container *container, const void *plain, size_t length); /* the new sum */
	int (*front)(const struct container *container, uint8_t *to, size_t *size);
	int (*back)(const struct container *container, uint8_t *to, size_t *size);
};
extern const struct container_ops container_xz;

bool container_is_known(const struct recipe *recipe);

/* The most heap that a container's output takes. */
uint64_t container_memory(const struct recipe *recipe, uint64_t plain_size);

/* Where the coder's own data are in these; the reader fills the error itself. */
int container_strip(const struct recipe *recipe, const struct reader *raw, uint64_t *at, uint64_t *size,
                    struct error *error);

/*
 * Around what an encoder writes to container_sink(): it is told of all plain data, in order, and when the encoder has
 * finished. The sink behind it fills the error itself. Not to be moved; a zeroed one may be closed.
 */
int container_open(struct container *container, const struct recipe *recipe, size_t plain_size,
                   const struct sink *behind, struct error *error);
struct sink container_sink(struct container *container);
void container_count(struct container *container, const void *plain, size_t length);
int container_finish(struct container *container);
void container_close(struct container *container);

#endif
