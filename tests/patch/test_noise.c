/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "tests/patch/craft.h"
#include "tests/patch/suites.h"

#include <string.h>

/* New data that bzip2 makes larger, and patches that keep a limit of memory. */

#define RAW_CHUNK 8 /* bytes in front of its data */

/* Such that bzip2 finds nothing in it; the seed is not 0. */
static struct bytes noise_bytes(size_t size, uint32_t seed)
{
	struct bytes bytes = bytes_new(size);

	for (size_t i = 0; i < size; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		bytes.data[i] = (uint8_t)(seed >> 12);
	}
	return bytes;
}

/* An empty one when there is nothing that this format does better. */
static struct bytes make_imgdiff2(const struct bytes *old, const struct bytes *new)
{
	struct bytes patch = {0};
	struct sink sink = bytes_sink(&patch);
	struct error error = {0};
	int err = patch_make_imgdiff2(old->data, old->size, new->data, new->size, 0, &sink, &error);

	if (err == 0)
		apply_expect(old, &patch, NULL, new);
	else
		ck_assert_int_eq(err, -ENOTSUP);
	return patch;
}

static uint64_t memory_of(const struct bytes *patch)
{
	struct memory_block block = {.data = patch->data, .size = patch->size};
	struct reader reader = reader_from_memory(&block);
	struct content content = content_from_reader(&reader);
	struct error error = {0};
	uint64_t memory;

	ck_assert_int_eq(patch_memory(&content, &memory, &error), 0);
	return memory;
}

static void append(struct bytes *image, struct bytes part)
{
	bytes_append(image, part.data, part.size);
	bytes_free(&part);
}

static size_t chunks_in(const struct bytes *patch)
{
	ck_assert_uint_gt(patch->size, IMGDIFF_HEADER_SIZE);
	return get_le32(patch->data + PATCH_MAGIC_SIZE);
}

/* As in a boot image: a loader that changes a little, a compressed kernel, another one, a table. */
static struct bytes image_of(uint32_t version, size_t size)
{
	struct bytes image = text_bytes(50000, 1);

	image.data[100] = (uint8_t)version;
	append(&image, noise_bytes(size, 10 + version));
	append(&image, text_bytes(30000, 2));
	append(&image, noise_bytes(size, 20 + version));
	append(&image, text_bytes(20000, 3));
	image.data[image.size - 100] = (uint8_t)version;
	return image;
}

START_TEST(test_image)
{
	struct bytes old = image_of(1, 290000), new = image_of(2, 300000);
	struct bytes plain = make_bsdiff40(&old, &new);
	struct bytes patch = make_imgdiff2(&old, &new);
	struct bytes again = make_imgdiff2(&old, &new);

	ck_assert_uint_gt(patch.size, 0);
	ck_assert_uint_lt(patch.size + 1500, plain.size);
	ck_assert_uint_lt(patch.size, 2 * 300000 + 1500);
	ck_assert_uint_eq(chunks_in(&patch), 5);
	bytes_expect_equal(&again, &patch);
	/* It holds no megabytes of bzip2 data either. */
	ck_assert_uint_lt(memory_of(&patch), memory_of(&plain));
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&plain);
	bytes_free(&patch);
	bytes_free(&again);
}
END_TEST

/* Noise at the end, at the beginning, and nothing else; of sizes that are no multiple of anything. */
START_TEST(test_ends)
{
	struct bytes old = text_bytes(70001, 4), new = {0}, patch;

	if (_i & 1)
		append(&new, noise_bytes(200003, 5));
	if (_i & 2)
		append(&new, text_bytes(70001, 4));
	if (_i & 4)
		append(&new, noise_bytes(100003, 6));
	patch = make_imgdiff2(&old, &new);
	ck_assert_uint_eq(patch.size > 0, (_i & 5) != 0);
	if (_i == 1 || _i == 4 || _i == 5) {
		ck_assert_uint_eq(chunks_in(&patch), 1);
		ck_assert_uint_eq(patch.size, IMGDIFF_HEADER_SIZE + RAW_CHUNK + new.size);
	}
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&patch);
}
END_TEST

/* As kernel modules have it: a signature at the end, another one each time. */
START_TEST(test_little_at_the_end)
{
	struct bytes old = text_bytes(30000, 4), new = bytes_copy(old.data, old.size), plain, patch;

	new.data[77] ^= 1;
	append(&old, noise_bytes(552, 5));
	append(&new, noise_bytes(552, 6));
	plain = make_bsdiff40(&old, &new);
	patch = make_imgdiff2(&old, &new);
	ck_assert_uint_eq(chunks_in(&patch), 2);
	ck_assert_uint_lt(patch.size + 64, plain.size);
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&plain);
	bytes_free(&patch);
}
END_TEST

/* Noise that was there before, noise that is the same over and over, too little of it, and none: nothing to gain. */
START_TEST(test_nothing_to_gain)
{
	struct bytes old = text_bytes(50000, 7), noise = noise_bytes(100000, 8), little = noise_bytes(20000, 9);
	struct bytes over = {0}, fresh = text_bytes(200000, 10);
	const struct bytes *pairs[][2] = {{&noise, &noise}, {&old, &over}, {&old, &little}, {&old, &fresh}};

	bytes_append(&little, old.data, old.size);
	for (int i = 0; i < 4; i++)
		bytes_append(&over, noise.data, noise.size);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct bytes patch = make_imgdiff2(pairs[i][0], pairs[i][1]);

		ck_assert_uint_eq(patch.size, 0);
		bytes_free(&patch);
	}
	bytes_free(&old);
	bytes_free(&noise);
	bytes_free(&little);
	bytes_free(&over);
	bytes_free(&fresh);
}
END_TEST

START_TEST(test_raw)
{
	struct bytes old = text_bytes(1000, 11), new = text_bytes(_i ? 100000 : 0, 12), patch = {0};
	struct sink sink = bytes_sink(&patch);
	struct error error = {0};

	ck_assert_int_eq(patch_make_raw(new.data, new.size, &sink, &error), 0);
	ck_assert_uint_eq(patch.size, IMGDIFF_HEADER_SIZE + (_i ? RAW_CHUNK + new.size : 0));
	apply_expect(&old, &patch, NULL, &new);
	ck_assert_uint_lt(memory_of(&patch), 512 << 10);
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&patch);
}
END_TEST

START_TEST(test_raw_refusals)
{
	size_t longest = 0;
	struct sink sink = full_sink(&longest);
	struct error error = {0};

#if SIZE_MAX > INT32_MAX
	ck_assert_int_eq(patch_make_raw("", (size_t)INT32_MAX + 1, &sink, &error), -EFBIG);
	ck_assert_ptr_nonnull(strstr(error.message, "too large"));
#endif
	ck_assert_int_eq(patch_make_raw("new", 3, &sink, &error), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(error.message, "cannot be written"));
}
END_TEST

/* Megabytes in two streams: no limit, one that is no matter, and smaller ones down to what a patch takes at least. */
START_TEST(test_memory)
{
	static const uint64_t limits[] = {PATCH_BSDIFF40_MEMORY, 4 << 20, 3 << 20, 1800 << 10, 1};
	struct bytes old = text_bytes(1500000, 13), new = bytes_copy(old.data, old.size), unlimited;
	struct error error = {0};

	for (size_t i = 0; i < new.size; i += 20)
		new.data[i] ^= (uint8_t)(i / 20 % 251);
	append(&new, text_bytes(1200000, 14));
	unlimited = make_bsdiff40(&old, &new);
	ck_assert_uint_gt(memory_of(&unlimited), limits[1]);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct bytes patch = {0};
		struct sink sink = bytes_sink(&patch);
		struct apply_run run = {.old = &old, .patch = &patch, .expected_size = new.size};

		ck_assert_int_eq(patch_make_bsdiff40(old.data, old.size, new.data, new.size, limits[i], &sink, &error),
		                 0);
		if (i == 0)
			bytes_expect_equal(&patch, &unlimited);
		if (limits[i] > 1)
			ck_assert_uint_le(memory_of(&patch), limits[i]);
		ck_assert_uint_lt(patch.size, unlimited.size / 10 * 11);
		ck_assert_int_eq(apply_run(&run), 0);
		ck_assert_uint_le(run.peak, memory_of(&patch));
		bytes_expect_equal(&run.out, &new);
		bytes_free(&run.out);
		bytes_free(&patch);
	}
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&unlimited);
}
END_TEST

/* What is inflated takes its part of the limit. */
START_TEST(test_inflated_memory)
{
	static const uint8_t header[10] = {0x1f, 0x8b, 8};
	static const uint8_t trailer[8];
	struct bytes plain = text_bytes(800000, 15), images[2] = {{0}, {0}}, patch = {0};
	struct sink sink = bytes_sink(&patch);
	struct error error = {0};
	uint64_t limit = 6000000;

	for (int i = 0; i < 2; i++) {
		struct bytes packed = deflate_bytes(&plain, &default_params);

		bytes_append(&images[i], header, sizeof(header));
		append(&images[i], packed);
		bytes_append(&images[i], trailer, sizeof(trailer));
		put_le32(images[i].data + images[i].size - 4, (uint32_t)plain.size);
		for (size_t at = 0; at < plain.size; at += 30)
			plain.data[at] ^= (uint8_t)(at / 30 % 251);
	}
	patch = make_imgdiff2(&images[0], &images[1]);
	ck_assert_uint_gt(patch.size, 0);
	ck_assert_uint_gt(memory_of(&patch), limit);
	bytes_free(&patch);
	patch = (struct bytes){0};
	ck_assert_int_eq(patch_make_imgdiff2(images[0].data, images[0].size, images[1].data, images[1].size, limit,
	                                     &sink, &error),
	                 0);
	ck_assert_uint_le(memory_of(&patch), limit);
	apply_expect(&images[0], &patch, NULL, &images[1]);
	bytes_free(&plain);
	bytes_free(&images[0]);
	bytes_free(&images[1]);
	bytes_free(&patch);
}
END_TEST

Suite *suite_noise(void)
{
	Suite *suite = suite_create("noise");
	TCase *tcase = tcase_create("raw and memory");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_image);
	tcase_add_loop_test(tcase, test_ends, 0, 8);
	tcase_add_test(tcase, test_little_at_the_end);
	tcase_add_test(tcase, test_nothing_to_gain);
	tcase_add_loop_test(tcase, test_raw, 0, 2);
	tcase_add_test(tcase, test_raw_refusals);
	tcase_add_test(tcase, test_memory);
	tcase_add_test(tcase, test_inflated_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
