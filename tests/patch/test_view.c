/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/show.h"
#include "tests/patch/squash.h"
#include "tests/patch/squeeze.h"
#include "tests/patch/suites.h"

#include <string.h>

static const struct xz_settings kernel_xz = {
	.preset = 6, .dictionary = 8u << 20, .branch = LZMA_FILTER_ARM, .check = LZMA_CHECK_CRC32};
static const struct xz_settings squashfs_xz = {
	.preset = 6, .dictionary = 131072, .check = LZMA_CHECK_CRC32, .sized = true};

static void add_xz(struct show *show, const struct bytes *plain, const struct xz_settings *settings)
{
	show_add(show, squeeze_xz(plain, settings));
}

/* As makers of images set their encoders. */
START_TEST(test_xz)
{
	static const struct xz_settings all[] = {
		{.preset = 6, .dictionary = 8u << 20, .check = LZMA_CHECK_CRC64},
		{.preset = 6, .dictionary = 12u << 20, .branch = LZMA_FILTER_ARM, .check = LZMA_CHECK_CRC32},
		{.preset = 6, .dictionary = 131072, .branch = LZMA_FILTER_ARMTHUMB, .check = LZMA_CHECK_CRC32},
		{.preset = 6, .dictionary = 4096, .check = LZMA_CHECK_CRC32},
		{.preset = 6, .dictionary = 98304, .check = LZMA_CHECK_NONE},
		{.preset = 9, .dictionary = 8u << 20, .check = LZMA_CHECK_SHA256},
		{.preset = 9 | LZMA_PRESET_EXTREME, .dictionary = 8u << 20, .check = LZMA_CHECK_CRC64},
		{.preset = 0, .dictionary = 262144, .check = LZMA_CHECK_CRC64},
		{.preset = 6, .dictionary = 1u << 20, .less_literals = 2, .check = LZMA_CHECK_CRC32},
		{.preset = 6, .dictionary = 131072, .check = LZMA_CHECK_CRC32, .sized = true},
		{.preset = 6, .dictionary = 98304, .branch = LZMA_FILTER_ARM, .sized = true},
		{.preset = 6, .dictionary = 1u << 20, .blocks = 3, .check = LZMA_CHECK_CRC64},
	};
	const struct xz_settings *settings = &all[_i];
	bool whole = settings->blocks == 0 && settings->check != LZMA_CHECK_SHA256;
	struct bytes plain = text_bytes(150001, 1);
	struct show show = {0};

	show_add(&show, random_bytes(777, 2));
	add_xz(&show, &plain, settings);
	show_add(&show, random_bytes(99, 3));
	show_expect(&show, settings->blocks ? settings->blocks : 1);
	ck_assert(settings->blocks || show_has(&show.found, &plain));
	ck_assert(!whole || show.found.plain.size == 777 + plain.size + 99); /* nothing is left of the container */
	show_free(&show);
	bytes_free(&plain);
}
END_TEST

START_TEST(test_deflate)
{
	static const struct deflate_settings all[] = {
		{.container = ZLIB_STREAM, .level = 9, .memory = 8}, /* mksquashfs */
		{.container = ZLIB_STREAM, .level = 6, .memory = 8},
		{.container = ZLIB_STREAM, .level = 1, .memory = 9},
		{.container = ZLIB_STREAM, .level = 3, .memory = 8},
		{.container = GZIP_MEMBER, .level = 6, .memory = 8},
		{.container = GZIP_MEMBER, .level = 9, .memory = 9},
		{.container = ZIP_ENTRY, .level = 6, .memory = 8},
		{.container = ZIP_ENTRY, .level = 2, .memory = 8},
	};
	static const size_t headers[] = {[ZLIB_STREAM] = 0, [GZIP_MEMBER] = 10, [ZIP_ENTRY] = 31};
	struct bytes plain = text_bytes(250001, 1);
	struct show show = {0};

	show_add(&show, random_bytes(777, 2));
	show_add(&show, squeeze_deflate(&plain, &all[_i]));
	show_add(&show, random_bytes(99, 3));
	show_add(&show, squeeze_deflate(&plain, &all[_i]));
	show_expect(&show, 2);
	ck_assert(show_has(&show.found, &plain));
	ck_assert_uint_eq(show.found.plain.size, 777 + 99 + 2 * (headers[all[_i].container] + plain.size));
	show_free(&show);
	bytes_free(&plain);
}
END_TEST

START_TEST(test_zstd)
{
	static const struct {
		struct zstd_settings settings;
		size_t size;
	} all[] = {
		{{.level = 15}, 131072}, /* mksquashfs */
		{{.level = 3}, 4096},    /* mkfs.ubifs */
		{{.level = 3}, 131072},
		{{.level = 1}, 131072},
		{{.level = 7}, 131072},
		{{.level = 7, .no_rows = true}, 131072},
		{{.level = 12, .checksum = true}, 1000000},
		{{.level = 19}, 131072},
		{{.level = 22}, 300000},
	};
	struct bytes plain = text_bytes(all[_i].size, 1);
	struct show show = {0};

	show_add(&show, random_bytes(777, 2));
	show_add(&show, squeeze_zstd(&plain, &all[_i].settings));
	show_add(&show, squeeze_zstd(&plain, &all[_i].settings));
	show_add(&show, random_bytes(99, 3));
	show_expect(&show, 2);
	ck_assert(show_has(&show.found, &plain));
	show_free(&show);
	bytes_free(&plain);
}
END_TEST

/* All kinds side by side; each is learnt of by itself. */
START_TEST(test_mixed)
{
	const struct deflate_settings zlib = {.container = ZLIB_STREAM, .level = 9, .memory = 8};
	const struct deflate_settings gzip = {.container = GZIP_MEMBER, .level = 6, .memory = 8};
	const struct zstd_settings zstd = {.level = 15};
	struct show show = {0};

	for (uint32_t i = 0; i < 20; i++) {
		struct bytes plain = text_bytes(3000 + 100 * i, i);

		show_add(&show, squeeze_deflate(&plain, &zlib));
		add_xz(&show, &plain, &squashfs_xz);
		show_add(&show, squeeze_deflate(&plain, &gzip));
		show_add(&show, squeeze_zstd(&plain, &zstd));
		plain.size = 3000;
		show_add(&show, squeeze_ubifs(&plain, false, 8));
		show_add(&show, squeeze_ubifs(&plain, true, 6));
		bytes_free(&plain);
	}
	show_expect(&show, 120);
	ck_assert_uint_eq(show.found.view.recipe_count, 6);
	show_free(&show);
}
END_TEST

/* Many parts, with and without raw bytes between them and at the ends; stored ones among them. */
START_TEST(test_many)
{
	struct show show = {0};
	uint32_t random = 5;

	for (uint32_t i = 0; i < 100; i++) {
		size_t size = 2000 + next_random(&random) % 9000;
		struct bytes plain = i % 9 == 3 ? random_bytes(size, i) : text_bytes(size, i);

		add_xz(&show, &plain, &squashfs_xz);
		if (i % 5 == 0)
			show_add(&show, random_bytes(next_random(&random) % 300, i));
		bytes_free(&plain);
	}
	show_expect(&show, 100);
	ck_assert_uint_eq(show.found.view.recipe_count, 1);
	ck_assert_uint_lt(view_memory(&show.found.view), 5000);
	show_free(&show);
}
END_TEST

/* Nothing compressed, or nothing at all. */
START_TEST(test_nothing)
{
	struct show show = {0};

	show_add(&show, random_bytes(5000, 4));
	show_expect(&show, 0);
	ck_assert(show_has(&show.found, &show.image));
	show_free(&show);
}
END_TEST

/* What no guess reproduces stays raw. */
START_TEST(test_stays_raw)
{
	const struct deflate_settings huffman = {
		.container = GZIP_MEMBER, .level = 6, .memory = 8, .strategy = 2 /* Z_HUFFMAN_ONLY */};
	const struct xz_settings unusual = {.preset = 6, .dictionary = 65536, .nice = 40, .check = LZMA_CHECK_CRC32};
	struct bytes plain = text_bytes(50000, 6);
	struct show show = {0};

	add_xz(&show, &plain, &unusual);
	show_add(&show, squeeze_deflate(&plain, &huffman));
	show_expect(&show, 0);
	show_free(&show);
	bytes_free(&plain);
}
END_TEST

/* Damage never makes a view that does not give the image back, nor does what is cut off. */
START_TEST(test_damaged)
{
	const struct deflate_settings zlib = {.container = ZLIB_STREAM, .level = 9, .memory = 8};
	const struct zstd_settings zstd = {.level = 15};
	const struct squash_settings squashfs = {.level = 8, .has_fragments = true};
	struct bytes plain = text_bytes(900, 6);
	struct bytes good = _i == 0   ? squeeze_xz(&plain, &squashfs_xz)
	                    : _i == 1 ? squeeze_deflate(&plain, &zlib)
	                    : _i == 2 ? squeeze_zstd(&plain, &zstd)
	                    : _i == 3 ? squeeze_ubifs(&plain, false, 8)
	                              : squash(&plain, 1, &squashfs);
	struct image image = {.data = good.data, .size = (int64_t)good.size};
	struct viewed found;
	struct bytes cut;

	ck_assert_int_eq(view_find(&found, &image, 0, NULL), 0);
	ck_assert_uint_eq(found.view.count, _i < 4 ? 1 : 6);
	viewed_free(&found);
	for (size_t i = 0; i < good.size; i += 3) {
		good.data[i] ^= 0x11;
		image.size = (int64_t)good.size;
		ck_assert_int_eq(view_find(&found, &image, 0, NULL), 0);
		show_expect_written(&found.view, &good, &found.plain);
		viewed_free(&found);
		good.data[i] ^= 0x11;
		cut = (struct bytes){.data = good.data, .size = i};
		image.size = (int64_t)i;
		ck_assert_int_eq(view_find(&found, &image, 0, NULL), 0);
		show_expect_written(&found.view, &cut, &found.plain);
		viewed_free(&found);
	}
	bytes_free(&good);
	bytes_free(&plain);
}
END_TEST

static const struct view_limits no_limits;

/* A pair: what is the same stays raw in both; old data need only decode, if there is something new to them. */
START_TEST(test_pair)
{
	const struct xz_settings unusual = {.preset = 6, .dictionary = 65536, .nice = 40, .check = LZMA_CHECK_CRC32};
	struct bytes same = text_bytes(40000, 7), before = text_bytes(30000, 8);
	struct bytes after = edited_copy(&before, 9);
	struct show old = {0}, new = {0};
	struct image old_image, new_image;

	add_xz(&old, &same, &squashfs_xz);
	add_xz(&old, &before, &unusual);
	show_add(&new, random_bytes(10, 1));
	add_xz(&new, &after, &squashfs_xz);
	add_xz(&new, &same, &squashfs_xz);
	old_image = show_image(&old);
	new_image = show_image(&new);
	ck_assert_int_eq(view_find_pair(&old.found, &new.found, &old_image, &new_image, &no_limits, NULL), 0);
	ck_assert(show_has(&old.found, &before) && !show_has(&old.found, &same));
	ck_assert(show_has(&new.found, &after) && !show_has(&new.found, &same));
	show_expect_read(&old.found.view, &old.image, &old.found.plain, 0);
	show_expect_written(&new.found.view, &new.image, &new.found.plain);
	viewed_free(&old.found);
	viewed_free(&new.found);

	/* The other way round nothing new is reproduced. */
	ck_assert_int_eq(view_find_pair(&new.found, &old.found, &new_image, &old_image, &no_limits, NULL), 0);
	ck_assert(old.found.view.count == 0 && new.found.view.count == 0);
	show_free(&old);
	show_free(&new);
	bytes_free(&after);
	bytes_free(&before);
	bytes_free(&same);
}
END_TEST

/* With too little memory for it a part stays raw, and the others do not. */
START_TEST(test_memory_limit)
{
	struct bytes large = text_bytes(300000, 1), small = text_bytes(9000, 2);
	const struct xz_settings block = {.preset = 6, .dictionary = 8192, .check = LZMA_CHECK_CRC32};
	struct show show = {0};
	struct image image;

	add_xz(&show, &large, &kernel_xz);
	add_xz(&show, &small, &block);
	image = show_image(&show);
	ck_assert_int_eq(view_find(&show.found, &image, 4 << 20, NULL), 0);
	ck_assert(show_has(&show.found, &small) && !show_has(&show.found, &large));
	ck_assert_uint_le(view_writer_memory(&show.found.view), (4 << 20) + 4096);
	viewed_free(&show.found);
	ck_assert_int_eq(view_find(&show.found, &image, 64 << 20, NULL), 0);
	ck_assert(show_has(&show.found, &small) && show_has(&show.found, &large));
	show_free(&show);
	bytes_free(&small);
	bytes_free(&large);
}
END_TEST

/* What was made right and is now damaged, or too short, is found when it is read. */
START_TEST(test_damaged_old)
{
	struct bytes plain = text_bytes(40000, 1);
	struct memory_block block;
	struct reader raw, reader;
	struct show show = {0};
	struct error error = {0};
	struct view_reader *view_of;
	uint8_t byte;

	add_xz(&show, &plain, &squashfs_xz);
	show_expect(&show, 1);
	block = (struct memory_block){.data = show.image.data, .size = show.image.size - 1};
	raw = reader_from_memory(&block);
	ck_assert_int_eq(view_reader_open(&view_of, &show.found.view, &raw, 0, &error), -EINVAL);
	block.size++;
	raw.size++;
	show.image.data[60] ^= 0xff;
	ck_assert_int_eq(view_reader_open(&view_of, &show.found.view, &raw, 0, &error), 0);
	reader = view_reader(view_of);
	ck_assert_int_eq(reader.read_at(reader.ctx, 3000, &byte, 1), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "of the old content"));
	view_reader_close(view_of);
	show_free(&show);
	bytes_free(&plain);
}
END_TEST

/* Bytes that are not those of the view make no image; a writer begins and ends outside of parts. */
START_TEST(test_wrong_bytes)
{
	struct bytes plain = text_bytes(40000, 1), wrong = random_bytes(40000, 2), out = {0};
	struct sink sink = bytes_sink(&out);
	struct show show = {0};
	struct error error = {0};
	struct view_writer *writer;
	struct view_cursor cursor;
	struct view_part part;
	struct sink in;

	add_xz(&show, &plain, &squashfs_xz);
	show_expect(&show, 1);
	view_seek_plain(&cursor, &show.found.view, 0);
	ck_assert(view_next(&cursor, &part));
	ck_assert_int_eq(view_writer_open(&writer, &show.found.view, part.plain_at + 1, &sink, &error), -EINVAL);
	ck_assert_int_eq(view_writer_open(&writer, &show.found.view, part.plain_at, &sink, &error), 0);
	in = view_writer_sink(writer);
	ck_assert_int_eq(in.write(in.ctx, wrong.data, 100), 0);
	ck_assert_int_eq(view_writer_finish(writer), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "inside a part"));
	ck_assert_int_eq(in.write(in.ctx, wrong.data + 100, 39900), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "not what was there"));
	view_writer_close(writer);
	ck_assert_uint_le(out.size, part.raw_size);
	bytes_free(&out);

	bytes_free(&wrong);
	wrong = bytes_new(40000); /* less than the part has */
	ck_assert_int_eq(view_writer_open(&writer, &show.found.view, part.plain_at, &sink, &error), 0);
	in = view_writer_sink(writer);
	ck_assert_int_eq(in.write(in.ctx, wrong.data, wrong.size), -EINVAL);
	view_writer_close(writer);
	bytes_free(&out);
	show_free(&show);
	bytes_free(&wrong);
	bytes_free(&plain);
}
END_TEST

Suite *suite_view(void)
{
	Suite *suite = suite_create("view");
	TCase *tcase = tcase_create("view");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_xz, 0, 12);
	tcase_add_loop_test(tcase, test_deflate, 0, 8);
	tcase_add_loop_test(tcase, test_zstd, 0, 9);
	tcase_add_test(tcase, test_mixed);
	tcase_add_test(tcase, test_many);
	tcase_add_test(tcase, test_nothing);
	tcase_add_test(tcase, test_stays_raw);
	tcase_add_loop_test(tcase, test_damaged, 0, 5);
	tcase_add_test(tcase, test_pair);
	tcase_add_test(tcase, test_memory_limit);
	tcase_add_test(tcase, test_damaged_old);
	tcase_add_test(tcase, test_wrong_bytes);
	suite_add_tcase(suite, tcase);
	return suite;
}
