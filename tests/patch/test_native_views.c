/* SPDX-License-Identifier: Apache-2.0 */
/* Native patches between views. */
#include "tests/patch/native_trip.h"
#include "tests/patch/program.h"
#include "tests/patch/squeeze.h"
#include "tests/patch/suites.h"
#include "tests/patch/volume.h"

#include <string.h>

static struct bytes zlib_in_noise(const struct bytes *plain)
{
	const struct deflate_settings settings = {.container = ZLIB_STREAM, .level = 9, .memory = 8};
	struct bytes image = random_bytes(700, 9);
	struct bytes packed = squeeze_deflate(plain, &settings);

	bytes_append(&image, packed.data, packed.size);
	bytes_append(&image, "end", 3);
	bytes_free(&packed);
	return image;
}

START_TEST(compressed_parts_are_looked_into)
{
	struct bytes old_plain = text_bytes(40000, 1);
	struct bytes new_plain = edited_copy(&old_plain, 2);
	struct bytes old = zlib_in_noise(&old_plain);
	struct bytes new = zlib_in_noise(&new_plain);
	struct bytes between_plain = native_make_patch(&old_plain, &new_plain, false);
	struct bytes patch = native_make_patch(&old, &new, false);

	ck_assert_uint_lt(patch.size, between_plain.size + 150);
	native_round_trip(&old, &new);
	apply_cut_everywhere(&old, &patch, new.size);
	bytes_free(&patch);
	bytes_free(&between_plain);
	bytes_free(&new);
	bytes_free(&old);
	bytes_free(&new_plain);
	bytes_free(&old_plain);
}
END_TEST

/* A program in a large part has addresses that count from where the part begins. */
START_TEST(a_compressed_program_is_predicted)
{
	struct program old = {.address = 0x80208000};
	struct program new = {.address = 0x80208000, .grown = PROGRAM_FUNCTIONS / 3, .more = 3};
	struct bytes text = text_bytes(3 << 19, 1);
	struct bytes old_image, new_image, between_plain, patch;

	program_build(&old, false);
	program_build(&new, false);
	bytes_append(&old.bytes, text.data, text.size);
	bytes_append(&new.bytes, text.data, text.size);
	old_image = zlib_in_noise(&old.bytes);
	new_image = zlib_in_noise(&new.bytes);
	between_plain = native_make_patch(&old.bytes, &new.bytes, false);
	patch = native_make_patch(&old_image, &new_image, false);
	ck_assert_uint_lt(patch.size, between_plain.size + 250);
	bytes_free(&text);
	bytes_free(&between_plain);
	bytes_free(&patch);
	bytes_free(&old.bytes);
	bytes_free(&new.bytes);
	native_round_trip_owned(old_image, new_image);
}
END_TEST

struct volumes {
	struct program old_program, new_program;
	struct bytes old, new;
};

/* A program in blocks of UBIFS, behind a file that has grown, so that all of it moves. */
static struct volumes volumes_open(bool packed)
{
	struct volumes volumes = {
		.old_program = {.address = 0x10000},
		.new_program = {.address = 0x10000, .grown = PROGRAM_FUNCTIONS / 3, .more = 3},
	};
	struct bytes old_files[2] = {text_bytes(9000, 1)}, new_files[2] = {text_bytes(9500, 1)};

	program_build(&volumes.old_program, true);
	program_build(&volumes.new_program, true);
	old_files[1] = volumes.old_program.bytes;
	new_files[1] = volumes.new_program.bytes;
	volumes.old = volume_of(old_files, 2, &(struct volume_settings){.packed = packed, .sequence = 7});
	volumes.new = volume_of(new_files, 2, &(struct volume_settings){.packed = packed, .sequence = 1007});
	bytes_free(&old_files[0]);
	bytes_free(&new_files[0]);
	return volumes;
}

static void volumes_close(struct volumes *volumes)
{
	bytes_free(&volumes->old_program.bytes);
	bytes_free(&volumes->new_program.bytes);
	bytes_free(&volumes->old);
	bytes_free(&volumes->new);
}

/* Heads of nodes, which differ in numbers and checksums, cost little more than the program. */
START_TEST(volumes_are_sorted)
{
	struct volumes volumes = volumes_open(_i == 1);
	struct bytes program = native_make_patch(&volumes.old_program.bytes, &volumes.new_program.bytes, false);
	struct bytes patch = native_make_patch(&volumes.old, &volumes.new, false);

	ck_assert_uint_gt(volumes.old_program.bytes.size, VOLUME_LEB); /* it is torn apart */
	ck_assert_uint_lt(patch.size, program.size + 1000);
	native_round_trip(&volumes.old, &volumes.new);
	apply_cut_everywhere(&volumes.old, &patch, volumes.new.size);
	bytes_free(&patch);
	bytes_free(&program);
	volumes_close(&volumes);
}
END_TEST

/* In units of one LEB, of two, and of others, in which nothing is sorted. */
START_TEST(volumes_are_changed_in_place)
{
	static const size_t units[] = {VOLUME_LEB, 2 * VOLUME_LEB, VOLUME_LEB / 2, 3 * VOLUME_LEB / 2};
	struct volumes volumes = volumes_open(_i % 2 == 1);
	struct patch_native_options options = {.unit = (uint32_t)units[_i / 2]};
	size_t size = volumes.new.size > volumes.old.size ? volumes.new.size : volumes.old.size;
	struct bytes patch = {0}, image = bytes_new(size + 2 * VOLUME_LEB);
	struct sink sink = bytes_sink(&patch);
	struct error error = {.message = ""};
	struct memory_block block;
	struct reader reader;
	struct content content;

	ck_assert_msg(patch_make_native(volumes.old.data, volumes.old.size, volumes.new.data, volumes.new.size,
	                                &options, &sink, &error) == 0,
	              "%s", error.message);
	content = content_of_bytes(&block, &reader, &patch);
	memcpy(image.data, volumes.old.data, volumes.old.size);
	ck_assert_msg(patch_change_image(&content, image.data, &error) == 0, "%s", error.message);
	ck_assert(memcmp(image.data, volumes.new.data, volumes.new.size) == 0);
	bytes_free(&image);
	bytes_free(&patch);
	volumes_close(&volumes);
}
END_TEST

/* Blocks as mksquashfs packs them, which take most of the usual memory to encode. */
START_TEST(looking_takes_the_usual_memory)
{
	const struct zstd_settings zstd = {.level = 15};
	struct bytes old = {0}, new = {0}, patch;

	for (uint32_t i = 0; i < 8; i++) {
		struct bytes old_plain = text_bytes(131072, i);
		struct bytes new_plain = edited_copy(&old_plain, i);
		struct bytes old_packed, new_packed;

		new_plain.size = new_plain.size < 131072 ? new_plain.size : 131072;
		old_packed = squeeze_zstd(&old_plain, &zstd);
		new_packed = squeeze_zstd(&new_plain, &zstd);
		bytes_append(&old, old_packed.data, old_packed.size);
		bytes_append(&new, new_packed.data, new_packed.size);
		bytes_free(&new_packed);
		bytes_free(&old_packed);
		bytes_free(&new_plain);
		bytes_free(&old_plain);
	}
	patch = native_make_patch(&old, &new, false);
	ck_assert_uint_lt(patch.size, new.size / 4);
	ck_assert_uint_le(native_memory(&patch), PATCH_NATIVE_VIEW_MEMORY);
	bytes_free(&patch);
	bytes_free(&new);
	bytes_free(&old);
}
END_TEST

Suite *suite_native_views(void)
{
	Suite *suite = suite_create("native views");
	TCase *tcase = tcase_create("native views");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, compressed_parts_are_looked_into);
	tcase_add_loop_test(tcase, volumes_are_sorted, 0, 2);
	tcase_add_loop_test(tcase, volumes_are_changed_in_place, 0, 8);
	tcase_add_test(tcase, a_compressed_program_is_predicted);
	tcase_add_test(tcase, looking_takes_the_usual_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
