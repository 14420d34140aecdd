/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/recipe_container.h"

#include "base/bytes.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { ZLIB_HEADER = 2, ZLIB_TRAILER = 4, GZIP_TRAILER = 8 };

/* ---- None, zlib streams (RFC 1950), and gzip members (RFC 1952) from behind their headers on ---- */

static bool is_bare(const struct recipe *recipe)
{
	return recipe->details[0] == 0 && recipe->details[1] == 0;
}

static bool is_deflate(const struct recipe *recipe)
{
	return is_bare(recipe) && recipe->coder == RECIPE_DEFLATE;
}

static bool is_gzip(const struct recipe *recipe)
{
	return is_bare(recipe) && (recipe->coder == RECIPE_DEFLATE || recipe->coder == RECIPE_GZIP);
}

static int strip_ends(const struct reader *raw, uint64_t front, uint64_t back, uint64_t *at, uint64_t *size,
                      struct error *error)
{
	if (raw->size < front + back)
		return patch_broken(error, "old content: too short for the container that the patch claims");
	*at = front;
	*size = raw->size - front - back;
	return 0;
}

static int strip_zlib(const struct recipe *recipe, const struct reader *raw, uint64_t *at, uint64_t *size,
                      struct error *error)
{
	(void)recipe;
	return strip_ends(raw, ZLIB_HEADER, ZLIB_TRAILER, at, size, error);
}

static int strip_gzip(const struct recipe *recipe, const struct reader *raw, uint64_t *at, uint64_t *size,
                      struct error *error)
{
	(void)recipe;
	return strip_ends(raw, 0, GZIP_TRAILER, at, size, error);
}

static uint64_t add_adler(const struct container *container, const void *plain, size_t length)
{
	return adler32_z((uLong)container->sum, plain, length);
}

static uint64_t add_crc(const struct container *container, const void *plain, size_t length)
{
	return crc32_z((uLong)container->sum, plain, length);
}

/* As deflate() tells of its settings. */
static int front_zlib(const struct container *container, uint8_t *to, size_t *size)
{
	const uint8_t *s = container->recipe.settings;
	unsigned level = s[DEFLATE_STRATEGY] >= Z_HUFFMAN_ONLY || s[DEFLATE_LEVEL] < 2 ? 0
	                 : s[DEFLATE_LEVEL] < 6                                        ? 1
	                 : s[DEFLATE_LEVEL] == 6                                       ? 2
	                                                                               : 3;
	unsigned header = ((unsigned)Z_DEFLATED | (s[DEFLATE_WINDOW] - 8u) << 4) << 8 | level << 6;

	header += 31 - header % 31;
	to[0] = (uint8_t)(header >> 8);
	to[1] = (uint8_t)header;
	*size = ZLIB_HEADER;
	return 0;
}

static int back_zlib(const struct container *container, uint8_t *to, size_t *size)
{
	for (unsigned i = 0; i < ZLIB_TRAILER; i++)
		to[i] = (uint8_t)(container->sum >> (24 - 8 * i));
	*size = ZLIB_TRAILER;
	return 0;
}

static int back_gzip(const struct container *container, uint8_t *to, size_t *size)
{
	put_le32(to, (uint32_t)container->sum);
	put_le32(to + 4, (uint32_t)container->plain_size);
	*size = GZIP_TRAILER;
	return 0;
}

static const struct container_ops bare = {.is_known = is_bare};
static const struct container_ops zlib_stream = {
	.is_known = is_deflate,
	.strip = strip_zlib,
	.first_sum = 1,
	.add = add_adler,
	.front = front_zlib,
	.back = back_zlib,
};
static const struct container_ops gzip_member = {
	.is_known = is_gzip, .strip = strip_gzip, .add = add_crc, .back = back_gzip};

/* ---- All of them ---- */

static const struct container_ops *ops_of(const struct recipe *recipe)
{
	static const struct container_ops *const all[CONTAINERS] = {[CONTAINER_NONE] = &bare,
	                                                            [CONTAINER_ZLIB] = &zlib_stream,
	                                                            [CONTAINER_GZIP] = &gzip_member,
	                                                            [CONTAINER_XZ] = &container_xz};

	return all[recipe->container];
}

bool container_is_known(const struct recipe *recipe)
{
	return recipe->container < CONTAINERS && ops_of(recipe)->is_known(recipe);
}

/* What does not compress grows by that at most, with every coder here whose output is held. */
static uint64_t held_max(const struct recipe *recipe, uint64_t plain_size)
{
	const struct container_ops *ops = ops_of(recipe);

	return ops->holds && ops->holds(recipe) ? plain_size + plain_size / 256 + 64 : 0;
}

uint64_t container_memory(const struct recipe *recipe, uint64_t plain_size)
{
	return held_max(recipe, plain_size);
}

int container_strip(const struct recipe *recipe, const struct reader *raw, uint64_t *at, uint64_t *size,
                    struct error *error)
{
	const struct container_ops *ops = ops_of(recipe);

	return ops->strip ? ops->strip(recipe, raw, at, size, error) : strip_ends(raw, 0, 0, at, size, error);
}

int container_open(struct container *container, const struct recipe *recipe, size_t plain_size,
                   const struct sink *behind, struct error *error)
{
	const struct container_ops *ops = ops_of(recipe);

	*container = (struct container){
		.recipe = *recipe, .ops = ops, .behind = behind, .error = error, .sum = ops->first_sum};
	container->held_room = (size_t)held_max(recipe, plain_size);
	if (container->held_room == 0)
		return 0;
	container->held = malloc(container->held_room);
	return container->held ? 0 : patch_no_memory(error);
}

static int write_end(const struct container *container,
                     int (*put)(const struct container *container, uint8_t *to, size_t *size))
{
	uint8_t end[CONTAINER_END_MAX];
	size_t size = 0;
	int err = put ? put(container, end, &size) : 0;

	return err == 0 && size > 0 ? container->behind->write(container->behind->ctx, end, size) : err;
}

static int write_coded(void *ctx, const void *data, size_t length)
{
	struct container *container = ctx;
	int err = 0;

	if (container->held) {
		if (length > container->held_room - container->coded_size)
			return error_set(container->error, 0, EINVAL, "patch: an encoder makes more than it may");
		memcpy(container->held + container->coded_size, data, length);
	} else {
		if (container->coded_size == 0)
			err = write_end(container, container->ops->front);
		if (err == 0)
			err = container->behind->write(container->behind->ctx, data, length);
	}
	container->coded_size += length;
	return err;
}

struct sink container_sink(struct container *container)
{
	return (struct sink){.write = write_coded, .ctx = container};
}

void container_count(struct container *container, const void *plain, size_t length)
{
	if (container->ops->add)
		container->sum = container->ops->add(container, plain, length);
	container->plain_size += length;
}

int container_finish(struct container *container)
{
	int err = 0;

	if (container->held) {
		err = write_end(container, container->ops->front);
		if (err == 0)
			err = container->behind->write(container->behind->ctx, container->held,
			                               (size_t)container->coded_size);
	}
	return err == 0 ? write_end(container, container->ops->back) : err;
}

void container_close(struct container *container)
{
	free(container->held);
}
