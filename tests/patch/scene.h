/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PATCH_SCENE_H
#define TESTS_PATCH_SCENE_H

/* What the tests of predictions look at: bytes along a stretch that moved by `away` bytes in the file. */
#include "patch/predict.h"
#include "tests/patch/support.h"

#define SCENE_BLOCK_LOG 8
#define SCENE_BLOCKS    64
#define SCENE_SIZE      (SCENE_BLOCKS << SCENE_BLOCK_LOG)

struct scene {
	struct prediction prediction;
	struct predict_program program;
	struct predict_segment segments[2];
	uint8_t kinds[SCENE_BLOCKS];
	uint8_t old[SCENE_SIZE];
	uint64_t at; /* the stretch begins here */
	uint64_t length;
	uint64_t away;
};

/*
 * A program at 0x20000 of two segments, the second 0x10000 further in memory than in the file. All blocks are of these
 * kinds. The scene must stay where it is.
 */
void scene_begin(struct scene *scene, unsigned kinds, uint64_t at, uint64_t length);

/* Another kind for all blocks. */
void scene_set_kinds(struct scene *scene, unsigned kinds);

/* 4 bytes of old content, at an offset of the image. */
void scene_put(struct scene *scene, uint64_t at, uint32_t code);

/* The items that are found, at most `room`; how many. */
size_t scene_items(const struct scene *scene, struct predict_item *items, size_t room);

/* What the item would be, moved by the scene's distance, where its target moved by `by`. */
uint32_t scene_rewritten(const struct scene *scene, const struct predict_item *item, uint32_t by);

#endif
