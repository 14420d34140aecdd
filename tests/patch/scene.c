/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/scene.h"

#include "base/bytes.h"
#include <string.h>

void scene_begin(struct scene *scene, unsigned kinds, uint64_t at, uint64_t length)
{
	struct predict_space space = {
		.programs = &scene->program, .program_count = 1, .segments = scene->segments, .segment_count = 2};

	*scene = (struct scene){
		.prediction = {.old = space, .new = space, .kinds = scene->kinds, .block_log = SCENE_BLOCK_LOG},
		.program = {.low = 0x20000, .end = 0x34000},
		.segments = {{.offset = 0, .length = 0x3000, .address = 0x20000},
	                     {.offset = 0x3000, .length = 0x1000, .address = 0x33000}},
		.at = at,
		.length = length,
	};
	scene_set_kinds(scene, kinds);
}

void scene_set_kinds(struct scene *scene, unsigned kinds)
{
	memset(scene->kinds, (int)kinds, sizeof(scene->kinds));
}

void scene_put(struct scene *scene, uint64_t at, uint32_t code)
{
	put_le32(scene->old + at, code);
}

size_t scene_items(const struct scene *scene, struct predict_item *items, size_t room)
{
	struct predict_window window = {.data = scene->old + scene->at, .start = 0, .end = scene->length};
	struct predict_walk walk;
	size_t count = 0;

	predict_begin(&walk, &scene->prediction, scene->at, scene->at + scene->away, scene->length);
	while (count < room && predict_next(&walk, &window, scene->length, &items[count]))
		count++;
	return count;
}

uint32_t scene_rewritten(const struct scene *scene, const struct predict_item *item, uint32_t by)
{
	struct predict_place place = predict_locate(&scene->prediction.new, scene->at + scene->away + item->at);

	return predict_encode(item, &place, item->target + by);
}
