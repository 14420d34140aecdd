/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "tests/patch/scene.h"
#include "tests/patch/suites.h"

#include <string.h>

/* Items in random bytes, under random tables. */

/* Bytes in which there is some of everything. */
static void scene_fill(struct scene *scene, uint32_t *state)
{
	static const uint32_t codes[][2] = {
		{0x0a000000, 0xf1ffffff}, {0x8000f000, 0x7fff07ff}, {0x8000f000, 0x7fff07ff}, {0xe3000000, 0x000f3fff},
		{0xe3400000, 0x00033003}, {0x0000f240, 0x03ff048f}, {0x0000f2c0, 0x03030003}, {0x46c04900, 0x00000307},
		{0x447946c0, 0x00030000}, {0x46c04479, 0x00000003}, {0xf8df46c0, 0x00000000}, {0x00020000, 0x0001fffc},
		{0x00000000, 0x0000ffff}, {0x7fff0000, 0x0000fffe}, {0xffff0000, 0x0000fffe}, {0x00000000, 0xffffffff},
	};

	for (size_t at = 0; at < SCENE_SIZE; at += next_random(state) % 8 == 0 ? 2 : 4) {
		const uint32_t *code = codes[next_random(state) % (sizeof(codes) / sizeof(codes[0]))];
		uint32_t random = next_random(state) << 16 | (next_random(state) & 0xffff);
		uint8_t bytes[4];

		put_le32(bytes, code[0] | (random & code[1]));
		memcpy(scene->old + at, bytes, SCENE_SIZE - at < 4 ? SCENE_SIZE - at : 4);
	}
	for (size_t i = 0; i < sizeof(scene->kinds); i++)
		scene->kinds[i] = (uint8_t)(next_random(state) % 3 > 0 ? next_random(state) : 0);
}

static void scene_place(struct scene *scene, uint32_t *state)
{
	scene->at = next_random(state) % SCENE_SIZE;
	scene->length = next_random(state) % (SCENE_SIZE - scene->at + 1);
	scene->away = (uint64_t)(next_random(state) % (SCENE_SIZE - scene->length + 1)) - scene->at;
}

/* Bytes of the stretch and kinds of its blocks for the items from `done` to `limit`, no more than they must be. */
struct cut {
	struct bytes bytes;
	struct bytes kinds;
	struct predict_window window;
};

static void cut_make(struct cut *cut, struct prediction *prediction, const struct scene *scene, uint64_t done,
                     uint64_t limit)
{
	uint64_t end = (scene->at + scene->away + limit - 1) >> SCENE_BLOCK_LOG;

	prediction->first_block = (scene->at + scene->away + done) >> SCENE_BLOCK_LOG;
	cut->kinds = bytes_copy(scene->kinds + prediction->first_block, end - prediction->first_block + 1);
	prediction->kinds = cut->kinds.data;
	cut->window.start = done > PREDICT_BEHIND ? done - PREDICT_BEHIND : 0;
	cut->window.end = scene->length - limit > PREDICT_AHEAD ? limit + PREDICT_AHEAD : scene->length;
	cut->bytes = bytes_copy(scene->old + scene->at + cut->window.start, cut->window.end - cut->window.start);
	cut->window.data = cut->bytes.data;
}

/* The same walk in windows, each an allocation of its own. */
static size_t find_in_windows(const struct scene *scene, uint32_t *state, struct predict_item *items)
{
	struct prediction prediction = scene->prediction;
	struct predict_walk walk;
	uint64_t done = 0;
	size_t count = 0;

	predict_begin(&walk, &prediction, scene->at, scene->at + scene->away, scene->length);
	while (done < scene->length) {
		uint64_t limit = done + 1 + next_random(state) % 300;
		struct cut cut;

		if (limit > scene->length)
			limit = scene->length;
		cut_make(&cut, &prediction, scene, done, limit);
		while (predict_next(&walk, &cut.window, limit, &items[count])) {
			ck_assert_uint_lt(items[count].at, limit);
			count++;
		}
		bytes_free(&cut.bytes);
		bytes_free(&cut.kinds);
		done = limit;
	}
	return count;
}

static void expect_same_items(const struct predict_item *a, const struct predict_item *b, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(a[i].form, b[i].form);
		ck_assert_uint_eq(a[i].at, b[i].at);
		ck_assert_uint_eq(a[i].code, b[i].code);
		ck_assert_uint_eq(a[i].base, b[i].base);
		ck_assert_uint_eq(a[i].target, b[i].target);
	}
}

START_TEST(test_windows_make_no_difference)
{
	struct predict_item items[SCENE_SIZE / 4], others[SCENE_SIZE / 4];
	struct scene scene;
	uint32_t state = 1;

	for (unsigned round = 0; round < 200; round++) {
		size_t count;

		scene_begin(&scene, 0, 0, 0);
		scene_fill(&scene, &state);
		scene_place(&scene, &state);
		count = scene_items(&scene, items, SCENE_SIZE / 4);
		ck_assert_uint_eq(find_in_windows(&scene, &state, others), count);
		expect_same_items(items, others, count);
	}
}
END_TEST

/* Where nothing moved, every item is made of its own bytes; no two of them overlap; all forms are among them. */
START_TEST(test_same_place_same_bytes)
{
	struct predict_item items[SCENE_SIZE / 4];
	unsigned forms[PREDICT_SYMBOL + 1] = {0};
	struct scene scene;
	uint32_t state = 2;

	for (unsigned round = 0; round < 200; round++) {
		size_t count;

		scene_begin(&scene, 0, 0, 0);
		scene_fill(&scene, &state);
		scene_place(&scene, &state);
		scene.away = 0;
		count = scene_items(&scene, items, SCENE_SIZE / 4);
		for (size_t i = 0; i < count; i++) {
			ck_assert_uint_eq(items[i].code, get_le32(scene.old + scene.at + items[i].at));
			ck_assert_uint_eq(scene_rewritten(&scene, &items[i], 0), items[i].code);
			ck_assert_uint_le(items[i].at + 4, i + 1 < count ? items[i + 1].at : scene.length);
			forms[items[i].form]++;
		}
	}
	for (unsigned i = 0; i <= PREDICT_SYMBOL; i++)
		ck_assert_uint_gt(forms[i], 0);
}
END_TEST

/* A space of any numbers; only programs that are named must be there. */
#define SPACE_PROGRAMS 5
#define SPACE_SEGMENTS 20

static struct predict_space random_space(struct predict_program *programs, struct predict_segment *segments,
                                         uint32_t *state)
{
	struct bytes random = random_bytes(SPACE_SEGMENTS * sizeof(*segments), next_random(state));

	memcpy(programs, random.data, SPACE_PROGRAMS * sizeof(*programs));
	memcpy(segments, random.data, SPACE_SEGMENTS * sizeof(*segments));
	for (unsigned i = 0; i < SPACE_SEGMENTS; i++) {
		segments[i].program %= SPACE_PROGRAMS;
		if (next_random(state) % 4 > 0) {
			segments[i].offset = i * 1000 + segments[i].offset % 500;
			segments[i].length %= 800;
		}
	}
	if (next_random(state) % 2 == 0)
		programs[0] = (struct predict_program){.low = 0, .end = UINT32_MAX, .bias = programs[0].bias};
	bytes_free(&random);
	return (struct predict_space){.programs = programs,
	                              .program_count = SPACE_PROGRAMS,
	                              .segments = segments,
	                              .segment_count = next_random(state) % (SPACE_SEGMENTS + 1)};
}

/* Any tables, any bytes: items stay in the stretch, and whatever is made of them can be made. */
START_TEST(test_hostile_tables)
{
	struct predict_item items[SCENE_SIZE / 4], others[SCENE_SIZE / 4];
	struct predict_program programs[2][SPACE_PROGRAMS];
	struct predict_segment segments[2][SPACE_SEGMENTS];
	size_t found = 0;
	uint32_t state = 3;

	for (unsigned round = 0; round < 200; round++) {
		struct bytes shifts = random_bytes(64 * sizeof(struct predict_shift), next_random(&state));
		struct predict_walk walk;
		struct scene scene;
		size_t count;

		scene_begin(&scene, 0, 0, 0);
		scene_fill(&scene, &state);
		scene_place(&scene, &state);
		scene.prediction.old = random_space(programs[0], segments[0], &state);
		scene.prediction.new = random_space(programs[1], segments[1], &state);
		scene.prediction.addresses =
			(struct predict_shifts){.list = (struct predict_shift *)shifts.data, .count = 64};
		scene.prediction.symbols = scene.prediction.addresses;
		count = scene_items(&scene, items, SCENE_SIZE / 4);
		predict_begin(&walk, &scene.prediction, scene.at, scene.at + scene.away, scene.length);
		for (size_t i = 0; i < count; i++) {
			ck_assert_uint_le(items[i].at + 4, i + 1 < count ? items[i + 1].at : scene.length);
			(void)predict_rewrite(&walk, &items[i]);
		}
		ck_assert_uint_eq(find_in_windows(&scene, &state, others), count);
		expect_same_items(items, others, count);
		found += count;
		bytes_free(&shifts);
	}
	ck_assert_uint_gt(found, 1000);
}
END_TEST

Suite *suite_walk(void)
{
	Suite *suite = suite_create("walk");
	TCase *tcase = tcase_create("walk");

	tcase_add_test(tcase, test_windows_make_no_difference);
	tcase_add_test(tcase, test_same_place_same_bytes);
	tcase_add_test(tcase, test_hostile_tables);
	suite_add_tcase(suite, tcase);
	return suite;
}
