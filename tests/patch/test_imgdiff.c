/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "tests/patch/craft.h"
#include "tests/patch/suites.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

/* Fields of a DEFLATE chunk, from its type on. */
enum { AT_START = 4, AT_SIZE = 12, AT_PATCH = 20, AT_INFLATED = 28, AT_TARGET = 36, AT_LEVEL = 44 };

/* An image with a deflated part, before and after, and the patch between them. */
struct image_pair {
	struct bytes old_body, new_body; /* the deflated part, inflated */
	struct bytes old, new, patch;
	size_t deflate_at; /* offset of the DEFLATE chunk in the patch */
};

static struct bytes assemble(const char *head, const struct bytes *body, const char *tail,
                             const struct deflate_params *params)
{
	struct bytes image = bytes_copy(head, strlen(head));
	struct bytes packed = deflate_bytes(body, params);

	bytes_append(&image, packed.data, packed.size);
	bytes_append(&image, tail, strlen(tail));
	bytes_free(&packed);
	return image;
}

/* RAW(head), DEFLATE(body), NORMAL(tail): the deflated part is the chunk with index 1. */
static void pair_open(struct image_pair *pair, size_t body_size, const struct deflate_params *params,
                      const struct bytes *bonus)
{
	static const char old_head[] = "head of the image", new_head[] = "HEAD of the image, longer";
	static const char old_tail[] = "tail of the image", new_tail[] = "tail, of the image";
	struct bytes raw = bytes_copy(new_head, strlen(new_head));
	struct bytes tails[2] = {bytes_copy(old_tail, strlen(old_tail)), bytes_copy(new_tail, strlen(new_tail))};
	struct bytes body_patch, tail_patch, source;
	size_t body_at = strlen(old_head), tail_at;

	pair->old_body = text_bytes(body_size, 21);
	pair->new_body = edited_copy(&pair->old_body, 22);
	source = bytes_copy(pair->old_body.data, pair->old_body.size);
	if (bonus) {
		bytes_append(&source, bonus->data, bonus->size);
		bytes_append(&pair->new_body, bonus->data, bonus->size);
	}
	pair->old = assemble(old_head, &pair->old_body, old_tail, &default_params);
	pair->new = assemble(new_head, &pair->new_body, new_tail, params);
	tail_at = pair->old.size - strlen(old_tail);
	body_patch = plain_bsdiff40(&source, &pair->new_body);
	tail_patch = plain_bsdiff40(&tails[0], &tails[1]);
	pair->patch = craft_imgdiff2((struct chunk[]){{.type = IMGDIFF_RAW, .raw = &raw},
	                                              {.type = IMGDIFF_DEFLATE,
	                                               .source_start = body_at,
	                                               .source_size = tail_at - body_at,
	                                               .bsdiff = &body_patch,
	                                               .inflated_source = source.size,
	                                               .inflated_target = pair->new_body.size,
	                                               .params = *params},
	                                              {.type = IMGDIFF_NORMAL,
	                                               .source_start = tail_at,
	                                               .source_size = strlen(old_tail),
	                                               .bsdiff = &tail_patch}},
	                             3);
	pair->deflate_at = IMGDIFF_HEADER_SIZE + 8 + raw.size;
	bytes_free(&raw);
	bytes_free(&tails[0]);
	bytes_free(&tails[1]);
	bytes_free(&source);
	bytes_free(&body_patch);
	bytes_free(&tail_patch);
}

static void pair_close(struct image_pair *pair)
{
	bytes_free(&pair->old_body);
	bytes_free(&pair->new_body);
	bytes_free(&pair->old);
	bytes_free(&pair->new);
	bytes_free(&pair->patch);
}

/* The body comes in many pieces, yet the bytes must be those of one deflate() call. */
START_TEST(test_parameters)
{
	static const struct deflate_params cases[] = {
		{1, 8, -15, 8, 0}, {2, 8, -15, 8, 0},  {3, 8, -15, 8, 0}, {4, 8, -15, 8, 0},
		{5, 8, -15, 8, 0}, {6, 8, -15, 8, 0},  {7, 8, -15, 8, 0}, {8, 8, -15, 8, 0},
		{9, 8, -15, 8, 0}, {-1, 8, -15, 8, 0}, {6, 8, -9, 8, 0},  {6, 8, -12, 1, 0},
		{9, 8, -15, 9, 1}, {6, 8, -15, 8, 2},  {6, 8, -15, 8, 3}, {6, 8, -15, 8, 4},
	};
	struct image_pair pair;

	pair_open(&pair, 300000, &cases[_i], NULL);
	apply_expect(&pair.old, &pair.patch, NULL, &pair.new);
	pair_close(&pair);
}
END_TEST

START_TEST(test_bonus)
{
	struct bytes bonus = random_bytes(70000, 23);
	struct bytes shorter = bytes_copy(bonus.data, 100);
	struct image_pair pair;
	struct apply_run run = {0};

	pair_open(&pair, 100000, &default_params, &bonus);
	apply_expect(&pair.old, &pair.patch, &bonus, &pair.new);
	apply_broken(&pair.old, &pair.patch, pair.new.size, "chunk 1 of 3: patch: source range inflates to 100000");
	run = (struct apply_run){
		.old = &pair.old, .patch = &pair.patch, .bonus = &shorter, .expected_size = pair.new.size};
	ck_assert_int_eq(apply_run(&run), -EINVAL);
	bytes_free(&run.out);
	put_le64(pair.patch.data + pair.deflate_at + AT_INFLATED, 69999);
	run = (struct apply_run){
		.old = &pair.old, .patch = &pair.patch, .bonus = &bonus, .expected_size = pair.new.size};
	ck_assert_int_eq(apply_run(&run), -EINVAL);
	ck_assert_ptr_nonnull(strstr(run.error.message, "70000 of bonus data"));
	bytes_free(&run.out);
	pair_close(&pair);
	bytes_free(&bonus);
	bytes_free(&shorter);
}
END_TEST

/* Bonus data that is given belongs to chunk 1 alone: here to the second of two DEFLATE chunks. */
START_TEST(test_bonus_of_second_chunk)
{
	struct bytes bonus = random_bytes(500, 23);
	struct bytes body = text_bytes(3000, 24);
	struct bytes joined = bytes_copy(body.data, body.size);
	struct bytes old = deflate_bytes(&body, &default_params);
	struct bytes first, second, new, patch;
	struct bytes same, longer;

	bytes_append(&joined, bonus.data, bonus.size);
	same = make_bsdiff40(&body, &body);
	longer = make_bsdiff40(&joined, &joined);
	first = deflate_bytes(&body, &default_params);
	second = deflate_bytes(&joined, &default_params);
	new = bytes_copy(first.data, first.size);
	bytes_append(&new, second.data, second.size);
	patch = craft_imgdiff2(
		(struct chunk[]){
			{IMGDIFF_DEFLATE, 0, old.size, &same, body.size, body.size, default_params, NULL},
			{IMGDIFF_DEFLATE, 0, old.size, &longer, joined.size, joined.size, default_params, NULL}},
		2);
	apply_expect(&old, &patch, &bonus, &new);
	bytes_free(&bonus);
	bytes_free(&body);
	bytes_free(&joined);
	bytes_free(&old);
	bytes_free(&first);
	bytes_free(&second);
	bytes_free(&new);
	bytes_free(&patch);
	bytes_free(&same);
	bytes_free(&longer);
}
END_TEST

/* A gzip file as imgdiff takes it apart: header, deflated body, trailer. */
START_TEST(test_gzip_file)
{
	static const struct deflate_params gzip = {.level = 9, .method = 8, .window_bits = 15 + 16, .mem_level = 8};
	static const struct deflate_params raw = {.level = 9, .method = 8, .window_bits = -15, .mem_level = 8};
	struct bytes bodies[2] = {text_bytes(200000, 25), {0}};
	struct bytes files[2], ends[4], blobs[3], patch;

	bodies[1] = edited_copy(&bodies[0], 26);
	for (size_t i = 0; i < 2; i++) {
		files[i] = deflate_bytes(&bodies[i], &gzip);
		ends[i] = bytes_copy(files[i].data, 10);
		ends[2 + i] = bytes_copy(files[i].data + files[i].size - 8, 8);
	}
	blobs[0] = make_bsdiff40(&ends[0], &ends[1]);
	blobs[1] = make_bsdiff40(&bodies[0], &bodies[1]);
	blobs[2] = make_bsdiff40(&ends[2], &ends[3]);
	patch = craft_imgdiff2((struct chunk[]){{.type = IMGDIFF_NORMAL, .source_size = 10, .bsdiff = &blobs[0]},
	                                        {IMGDIFF_DEFLATE, 10, files[0].size - 18, &blobs[1], bodies[0].size,
	                                         bodies[1].size, raw, NULL},
	                                        {.type = IMGDIFF_NORMAL,
	                                         .source_start = files[0].size - 8,
	                                         .source_size = 8,
	                                         .bsdiff = &blobs[2]}},
	                       3);
	apply_expect(&files[0], &patch, NULL, &files[1]);
	ck_assert_uint_lt(patch.size, files[1].size / 4); /* or it would be no use */
	bytes_free(&patch);
	for (size_t i = 0; i < 3; i++)
		bytes_free(&blobs[i]);
	for (size_t i = 0; i < 4; i++)
		bytes_free(&ends[i]);
	for (size_t i = 0; i < 2; i++) {
		bytes_free(&files[i]);
		bytes_free(&bodies[i]);
	}
}
END_TEST

START_TEST(test_no_chunks)
{
	struct bytes old = text_bytes(10, 1);
	struct bytes nothing = bytes_new(0);
	struct bytes patch = craft_imgdiff2(NULL, 0);

	apply_expect(&old, &patch, NULL, &nothing);
	apply_broken(&old, &patch, 1, "1 bytes less than the expected 1");
	bytes_free(&old);
	bytes_free(&nothing);
	bytes_free(&patch);
}
END_TEST

START_TEST(test_wrong_size)
{
	struct image_pair pair;

	pair_open(&pair, 1000, &default_params, NULL);
	apply_broken(&pair.old, &pair.patch, pair.new.size + 1, "1 bytes less");
	for (size_t size = 0; size < pair.new.size; size += 7)
		apply_broken(&pair.old, &pair.patch, size, "more than the expected size");
	pair_close(&pair);
}
END_TEST

START_TEST(test_hostile_fields)
{
	static const struct {
		size_t offset; /* in the DEFLATE chunk */
		size_t width;
		uint64_t value;
		const char *message;
	} cases[] = {
		{0, 4, 1, "GZIP"},
		{0, 4, 4, "type 4 is unknown"},
		{0, 4, UINT32_MAX, "type 4294967295 is unknown"},
		{AT_START, 8, 1u << 30, "lies outside"},
		{AT_START, 8, UINT64_MAX, "lies outside"},
		{AT_START, 8, 16, "deflated data"},
		{AT_SIZE, 8, 1u << 30, "lies outside"},
		{AT_SIZE, 8, UINT64_MAX, "lies outside"},
		{AT_SIZE, 8, 0, "ends inside"},
		{AT_SIZE, 8, 100, "ends inside"},
		{AT_PATCH, 8, UINT64_MAX, "no room for a BSDIFF40 header"},
		{AT_PATCH, 8, 1u << 30, "no room for a BSDIFF40 header"},
		{AT_PATCH, 8, 0, "no BSDIFF40 magic"},
		{AT_INFLATED, 8, 0, "expected 0"},
		{AT_INFLATED, 8, 999, "expected 999"},
		{AT_INFLATED, 8, 1001, "expected 1001"},
		{AT_INFLATED, 8, UINT64_MAX, "inflates to 1000 bytes"},
		{AT_TARGET, 8, 0, "inflated target of 0"},
		{AT_TARGET, 8, UINT64_MAX, "inflated target"},
		{AT_LEVEL, 4, 10, "level 10"},
		{AT_LEVEL, 4, (uint32_t)-2, "level -2"},
		{AT_LEVEL + 4, 4, 0, "method 0"},
		{AT_LEVEL + 8, 4, 15, "windowBits 15"},
		{AT_LEVEL + 8, 4, 31, "windowBits 31"},
		{AT_LEVEL + 8, 4, (uint32_t)-8, "windowBits -8"},
		{AT_LEVEL + 8, 4, (uint32_t)-16, "windowBits -16"},
		{AT_LEVEL + 8, 4, 0x80000000, "windowBits -2147483648"},
		{AT_LEVEL + 12, 4, 0, "memLevel 0"},
		{AT_LEVEL + 12, 4, 10, "memLevel 10"},
		{AT_LEVEL + 16, 4, 5, "strategy 5"},
		{AT_LEVEL + 16, 4, (uint32_t)-1, "strategy -1"},
	};
	struct image_pair pair;

	pair_open(&pair, 1000, &default_params, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes patch = bytes_copy(pair.patch.data, pair.patch.size);
		uint8_t *field = patch.data + pair.deflate_at + cases[i].offset;

		if (cases[i].width == 4)
			put_le32(field, (uint32_t)cases[i].value);
		else
			put_le64(field, cases[i].value);
		apply_broken(&pair.old, &patch, pair.new.size, "chunk 1 of 3");
		apply_broken(&pair.old, &patch, pair.new.size, cases[i].message);
		bytes_free(&patch);
	}
	pair_close(&pair);
}
END_TEST

START_TEST(test_hostile_counts)
{
	struct image_pair pair;

	pair_open(&pair, 1000, &default_params, NULL);
	put_le32(pair.patch.data + 8, UINT32_MAX);
	apply_broken(&pair.old, &pair.patch, pair.new.size, "4294967295 chunks do not fit");
	put_le32(pair.patch.data + 8, 4); /* the fourth would lie in the first bsdiff */
	apply_broken(&pair.old, &pair.patch, pair.new.size, "chunk 3 of 4");
	put_le32(pair.patch.data + 8, 3);
	put_le32(pair.patch.data + IMGDIFF_HEADER_SIZE + 4, UINT32_MAX); /* the RAW chunk's length */
	apply_broken(&pair.old, &pair.patch, pair.new.size, "chunk 0 of 3");
	pair_close(&pair);
}
END_TEST

START_TEST(test_cut_and_flipped)
{
	struct image_pair pair;

	pair_open(&pair, 200, &default_params, NULL);
	apply_cut_everywhere(&pair.old, &pair.patch, pair.new.size);
	apply_flip_every_bit(&pair.old, &pair.patch, pair.new.size);
	pair_close(&pair);
}
END_TEST

START_TEST(test_callers_errors)
{
	struct image_pair pair;
	struct apply_run good;

	pair_open(&pair, 100000, &default_params, NULL);
	good = (struct apply_run){
		.old = &pair.old, .patch = &pair.patch, .expected_size = pair.new.size, .read_at_most = 5};
	ck_assert_int_eq(apply_run(&good), 0);
	bytes_expect_equal(&good.out, &pair.new);
	for (int i = 0; i < 3; i++) {
		struct apply_run run = good;

		bytes_free(&good.out);
		run.fail_old = i == 0 ? EIO : 0;
		run.fail_patch = i == 1 ? EIO : 0;
		run.fail_sink = i == 2 ? EIO : 0;
		ck_assert_int_eq(apply_run(&run), -EIO);
		ck_assert_int_eq(run.error.code, 0);
		bytes_free(&run.out);
	}
	pair_close(&pair);
}
END_TEST

/* 24 MiB of inflated source, read from its last piece to its first: the bound holds and the result is right. */
START_TEST(test_memory)
{
	enum { PIECE = 256 << 10, PIECES = 96, BODY = PIECE * PIECES };
	static const struct deflate_params fast = {.level = 1, .method = 8, .window_bits = -15, .mem_level = 9};
	struct bytes body = text_bytes(BODY, 31);
	struct bytes old = deflate_bytes(&body, &fast);
	struct bytes turned = {0}, none = bytes_new(0), zeros = bytes_new(BODY);
	struct entry entries[PIECES + 1];
	struct bytes bsdiff, patch, new;
	struct apply_run run = {.old = &old, .patch = &patch};

	entries[0] = (struct entry){0, 0, BODY - PIECE};
	for (size_t i = 0; i < PIECES; i++) {
		bytes_append(&turned, body.data + BODY - (i + 1) * PIECE, PIECE);
		entries[i + 1] = (struct entry){PIECE, 0, -2 * (int64_t)PIECE};
	}
	bsdiff = craft_bsdiff40(entries, PIECES + 1, &zeros, &none, BODY);
	new = deflate_bytes(&turned, &fast);
	patch = craft_imgdiff2((struct chunk[]){{IMGDIFF_DEFLATE, 0, old.size, &bsdiff, BODY, BODY, fast, NULL}}, 1);
	run.expected_size = new.size;
	ck_assert_int_eq(apply_run(&run), 0);
	bytes_expect_equal(&run.out, &new);
	ck_assert_uint_gt(run.peak, 2u << 20); /* or the heap was not seen */
	/* The bzip2 windows are small here, at level 1: what the chunk costs beside them must fit into the rest. */
	ck_assert_uint_le(run.peak, PATCH_IMGDIFF2_MEMORY - 9 * (1u << 20));
	bytes_free(&run.out);
	bytes_free(&body);
	bytes_free(&old);
	bytes_free(&turned);
	bytes_free(&none);
	bytes_free(&zeros);
	bytes_free(&bsdiff);
	bytes_free(&patch);
	bytes_free(&new);
}
END_TEST

Suite *suite_imgdiff(void)
{
	Suite *suite = suite_create("imgdiff");
	TCase *tcase = tcase_create("apply");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_parameters, 0, 16);
	tcase_add_test(tcase, test_bonus);
	tcase_add_test(tcase, test_bonus_of_second_chunk);
	tcase_add_test(tcase, test_gzip_file);
	tcase_add_test(tcase, test_no_chunks);
	tcase_add_test(tcase, test_wrong_size);
	tcase_add_test(tcase, test_hostile_fields);
	tcase_add_test(tcase, test_hostile_counts);
	tcase_add_test(tcase, test_cut_and_flipped);
	tcase_add_test(tcase, test_callers_errors);
	tcase_add_test(tcase, test_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
