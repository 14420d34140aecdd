/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/patch.h"
#include "tests/patch/program.h"
#include "tests/patch/squeeze.h"
#include "tests/patch/suites.h"
#include "tests/patch/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNIT   ((size_t)2048)
#define SHARES 64
#define BLOCK  ((size_t)6000)

/* An object that is as large as whole units, an old image in it, and a patch that makes the new one of it. */
struct place {
	struct bytes old, new, patch;
	struct bytes object;
	struct memory_block patch_block, object_block;
	struct reader patch_reader, object_reader;
	struct content content;
	struct patch_units *units;
	struct patch_units_info info;
	struct bytes shares[SHARES]; /* what is kept, by its border */
	size_t kept;                 /* bytes, now */
	size_t most_kept;
	struct patch_keep keep;
};

static int save_share(void *ctx, uint64_t border, const void *data, size_t length)
{
	struct place *place = ctx;

	ck_assert_uint_lt(border, SHARES);
	place->kept -= place->shares[border].size;
	bytes_free(&place->shares[border]);
	place->shares[border] = bytes_copy(data, length);
	place->kept += length;
	if (place->kept > place->most_kept)
		place->most_kept = place->kept;
	return 0;
}

static int load_share(void *ctx, uint64_t border, void *data, size_t length)
{
	const struct place *place = ctx;

	if (border >= SHARES || place->shares[border].size != length)
		return -ENOENT;
	memcpy(data, place->shares[border].data, length);
	return 0;
}

static int drop_share(void *ctx, uint64_t border)
{
	struct place *place = ctx;

	ck_assert_uint_lt(border, SHARES);
	place->kept -= place->shares[border].size;
	bytes_free(&place->shares[border]);
	return 0;
}

static struct place place_open(struct bytes old, struct bytes new)
{
	struct patch_native_options options = {.unit = (uint32_t)UNIT};
	struct place place = {.old = old, .new = new, .patch = bytes_new(0)};
	size_t size = old.size > new.size ? old.size : new.size;
	struct sink sink = bytes_sink(&place.patch);
	struct error error = {.message = ""};

	ck_assert_msg(patch_make_native(old.data, old.size, new.data, new.size, &options, &sink, &error) == 0, "%s",
	              error.message);
	place.object = bytes_new((size + UNIT - 1) / UNIT * UNIT);
	memset(place.object.data, 0xff, place.object.size);
	if (old.size > 0)
		memcpy(place.object.data, old.data, old.size);
	return place;
}

static void place_close(struct place *place)
{
	patch_units_close(place->units);
	bytes_free(&place->old);
	bytes_free(&place->new);
	bytes_free(&place->patch);
	bytes_free(&place->object);
	for (size_t i = 0; i < SHARES; i++)
		bytes_free(&place->shares[i]);
}

/* Open the patch as whoever starts, or starts again. Readers refer to the place, which must stay where it is. */
static void begin(struct place *place)
{
	struct error error = {.message = ""};

	patch_units_close(place->units);
	place->keep = (struct patch_keep){.save = save_share, .load = load_share, .drop = drop_share, .ctx = place};
	place->patch_block = (struct memory_block){.data = place->patch.data, .size = place->patch.size};
	place->object_block = (struct memory_block){.data = place->object.data, .size = place->object.size};
	place->patch_reader = reader_from_memory(&place->patch_block);
	place->object_reader = reader_from_memory(&place->object_block);
	place->content = content_from_reader(&place->patch_reader);
	ck_assert_msg(patch_units_open(&place->content, &place->units, &place->info, &error) == 0, "%s", error.message);
}

static enum patch_unit_state state_of(const struct place *place, uint64_t number)
{
	return patch_units_state(place->units, number, place->object.data + number * UNIT, UNIT);
}

/* Write units until so many are written: their count. Those that are new already are passed. */
static unsigned write_units(struct place *place, unsigned most)
{
	struct error error = {.message = ""};
	uint8_t data[UNIT];
	unsigned written = 0;
	uint64_t number;
	size_t size;

	while (written < most && patch_units_next(place->units, &place->keep, &number, &error) == 1) {
		if (state_of(place, number) == PATCH_UNIT_NEW)
			continue;
		ck_assert_int_eq(state_of(place, number), PATCH_UNIT_OLD);
		ck_assert_msg(
			patch_units_make(place->units, &place->object_reader, &place->keep, data, &size, &error) == 0,
			"%s", error.message);
		memcpy(place->object.data + number * UNIT, data, size);
		ck_assert_int_eq(state_of(place, number), PATCH_UNIT_NEW);
		written++;
	}
	return written;
}

static void expect_new(const struct place *place)
{
	if (place->new.size > 0)
		ck_assert_mem_eq(place->object.data, place->new.data, place->new.size);
}

static struct bytes turned(const struct bytes *bytes, size_t by)
{
	struct bytes copy = bytes_copy(bytes->data + by, bytes->size - by);

	bytes_append(&copy, bytes->data, by);
	return copy;
}

/* Compressed blocks one after the other, many of them over the border of two units. */
static struct bytes zlib_blocks(const struct bytes *plain, uint32_t changed)
{
	const struct deflate_settings settings = {.container = ZLIB_STREAM, .level = 9, .memory = 8};
	struct bytes image = random_bytes(100, 7);
	struct bytes block;

	for (size_t at = 0; at < plain->size; at += BLOCK) {
		size_t size = plain->size - at < BLOCK ? plain->size - at : BLOCK;
		struct bytes packed;

		block = bytes_copy(plain->data + at, size);
		if (changed > 0 && at / BLOCK % changed != 0)
			block.data[size / 2] ^= 0x15;
		packed = squeeze_deflate(&block, &settings);
		bytes_append(&image, packed.data, packed.size);
		bytes_free(&packed);
		bytes_free(&block);
	}
	return image;
}

static struct place blocks_place(uint32_t changed)
{
	struct bytes plain = text_bytes(12 * BLOCK - 500, 4);
	struct place place = place_open(zlib_blocks(&plain, 0), zlib_blocks(&plain, changed));

	bytes_free(&plain);
	return place;
}

static struct place some_place(uint32_t seed)
{
	if (seed > 4)
		return blocks_place(seed - 3);
	if (seed == 3) {
		struct program old = {.address = 0x10000};
		struct program new = {.address = 0x10000, .grown = PROGRAM_FUNCTIONS / 2, .more = 9};

		program_build(&old, true);
		program_build(&new, true);
		return place_open(old.bytes, new.bytes);
	}
	struct bytes old = random_bytes(30000, seed);
	struct bytes new = seed % 2 ? edited_copy(&old, seed) : turned(&old, 3 * UNIT + 100);

	return place_open(old, new);
}

START_TEST(changes_what_differs_and_nothing_else)
{
	struct place place = place_open(text_bytes(20000, 1), text_bytes(20000, 1));

	begin(&place);
	ck_assert_uint_eq(place.info.changed, 0);
	ck_assert_uint_eq(write_units(&place, 100), 0);
	ck_assert_int_eq(state_of(&place, 3), PATCH_UNIT_SAME);
	place_close(&place);

	place = place_open(text_bytes(20000, 1), text_bytes(20000, 1));
	bytes_free(&place.patch);
	place.new.data[5 * UNIT] ^= 1;
	place.new.data[7 * UNIT - 1] ^= 1;
	bytes_free(&place.object);
	place = place_open(place.old, place.new);
	begin(&place);
	ck_assert_uint_eq(place.info.changed, 2);
	ck_assert_uint_eq(write_units(&place, 100), 2);
	expect_new(&place);
	place_close(&place);
}
END_TEST

START_TEST(grows_and_shrinks)
{
	static const size_t sizes[][2] = {{0, 5000}, {5000, 0}, {100, 9 * UNIT}, {9 * UNIT, 100}, {3 * UNIT, 3 * UNIT}};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct place place = place_open(text_bytes(sizes[i][0], 1), text_bytes(sizes[i][1], 2));

		begin(&place);
		ck_assert_uint_eq(write_units(&place, 100), place.info.changed);
		expect_new(&place);
		place_close(&place);
	}
}
END_TEST

/* At every place of the order, and there again. */
START_TEST(cut_after_any_unit_it_goes_on)
{
	for (uint32_t seed = 1; seed <= 6; seed++) {
		unsigned total = 1;

		for (unsigned cut = 0; cut < total; cut++) {
			struct place place = some_place(seed);
			unsigned written;

			begin(&place);
			total = (unsigned)place.info.changed;
			written = write_units(&place, cut);
			begin(&place);
			written += write_units(&place, 1);
			begin(&place);
			for (uint64_t unit = 0; unit < place.info.count; unit++)
				ck_assert_int_ne(state_of(&place, unit), PATCH_UNIT_FOREIGN);
			written += write_units(&place, UINT32_MAX);
			ck_assert_uint_eq(written, total);
			expect_new(&place);
			ck_assert_uint_eq(place.kept, 0);
			ck_assert_uint_le(place.most_kept, place.info.kept);
			place_close(&place);
		}
		ck_assert_uint_gt(total, 3);
	}
}
END_TEST

/* A rotation: every unit needs another one, and not all can have what they need. The rest is little. */
START_TEST(the_order_keeps_what_is_needed)
{
	struct place place = some_place(2);

	ck_assert_uint_lt(place.patch.size, place.new.size / 2);
	place_close(&place);
}
END_TEST

/* Of what is compressed only the change of the plain content is in the patch. */
START_TEST(compressed_blocks_are_looked_into)
{
	struct place place = blocks_place(2);

	ck_assert_uint_lt(place.patch.size, place.new.size / 4);
	begin(&place);
	ck_assert_uint_gt(place.info.kept, 0);
	ck_assert_uint_lt(place.info.kept, 2 * UNIT);
	ck_assert_uint_eq(write_units(&place, UINT32_MAX), place.info.changed);
	ck_assert_uint_eq(place.most_kept, place.info.kept);
	expect_new(&place);
	place_close(&place);
}
END_TEST

START_TEST(foreign_content_is_seen)
{
	struct place place = some_place(1);
	struct error error;
	uint8_t data[UNIT];
	uint64_t number;
	size_t size;

	begin(&place);
	ck_assert_int_eq(patch_units_next(place.units, &place.keep, &number, &error), 1);
	for (size_t i = 0; i < place.object.size; i += 7)
		place.object.data[i] ^= 0x10;
	for (uint64_t unit = 0; unit < place.info.count; unit++)
		ck_assert_int_eq(state_of(&place, unit), PATCH_UNIT_FOREIGN);
	ck_assert_int_eq(state_of(&place, place.info.count), PATCH_UNIT_FOREIGN);
	ck_assert_int_eq(patch_units_make(place.units, &place.object_reader, &place.keep, data, &size, &error),
	                 -EINVAL);
	ck_assert_int_eq(error.code, RESULT_VERIFY);
	place_close(&place);
}
END_TEST

START_TEST(other_patches_are_not_taken)
{
	struct bytes old = text_bytes(3000, 1);
	struct patch_native_options options = {.unit = 0};
	struct place place = {.patch = bytes_new(0), .object = bytes_new(UNIT)};
	struct sink sink = bytes_sink(&place.patch);
	struct error error;

	ck_assert_int_eq(patch_make_native(old.data, old.size, old.data, old.size, &options, &sink, &error), 0);
	place.patch_block = (struct memory_block){.data = place.patch.data, .size = place.patch.size};
	place.patch_reader = reader_from_memory(&place.patch_block);
	place.content = content_from_reader(&place.patch_reader);
	ck_assert_int_eq(patch_units_open(&place.content, &place.units, &place.info, &error), -ENOTSUP);
	ck_assert_ptr_null(place.units);
	bytes_free(&old);
	place_close(&place);

	place = some_place(1);
	apply_broken(&place.old, &place.patch, place.new.size, "in place");
	place_close(&place);
}
END_TEST

/* With the patch cut at any byte, or any bit of it flipped: units are right or not made at all. */
static void expect_no_harm(struct place *place)
{
	struct error error = {.message = ""};
	uint8_t *data = malloc(UNIT);
	uint64_t number;
	size_t size;
	int err;

	place->patch_block = (struct memory_block){.data = place->patch.data, .size = place->patch.size};
	place->object_block = (struct memory_block){.data = place->object.data, .size = place->object.size};
	err = patch_units_open(&place->content, &place->units, &place->info, &error);
	while (err == 0 && (err = patch_units_next(place->units, &place->keep, &number, &error)) == 1) {
		err = patch_units_make(place->units, &place->object_reader, &place->keep, data, &size, &error);
		if (err == 0)
			ck_assert_mem_eq(data, place->new.data + number *UNIT, size);
	}
	ck_assert(err < 0 && error.message[0]);
	patch_units_close(place->units);
	place->units = NULL;
	free(data);
}

START_TEST(damaged_anywhere_it_does_no_harm)
{
	struct bytes old = random_bytes(7000, 1);
	struct bytes new = edited_copy(&old, 1);
	struct place place = place_open(old, new);
	size_t whole = place.patch.size;

	begin(&place);
	patch_units_close(place.units);
	place.units = NULL;
	for (place.patch.size = 0; place.patch.size < whole; place.patch.size++)
		if (place.patch.size > 0)
			expect_no_harm(&place);
	for (size_t bit = 0; bit < 8 * whole; bit++) {
		place.patch.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		expect_no_harm(&place);
		place.patch.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	place_close(&place);
}
END_TEST

Suite *suite_units(void)
{
	Suite *suite = suite_create("units");
	TCase *tcase = tcase_create("units");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, changes_what_differs_and_nothing_else);
	tcase_add_test(tcase, grows_and_shrinks);
	tcase_add_test(tcase, cut_after_any_unit_it_goes_on);
	tcase_add_test(tcase, the_order_keeps_what_is_needed);
	tcase_add_test(tcase, compressed_blocks_are_looked_into);
	tcase_add_test(tcase, foreign_content_is_seen);
	tcase_add_test(tcase, other_patches_are_not_taken);
	tcase_add_test(tcase, damaged_anywhere_it_does_no_harm);
	suite_add_tcase(suite, tcase);
	return suite;
}
