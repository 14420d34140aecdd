/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/bzip.h"
#include "tests/patch/suites.h"
#include "tests/patch/support.h"

#include <bzlib.h>

/* What is packed is there again, and takes as much as is returned. */
static size_t pack(const struct bytes *data, const struct blocks *blocks, int level)
{
	struct buffer packed = {0};
	struct error error = {0};
	struct bytes again = bytes_new(data->size + 1);
	unsigned int size = (unsigned int)again.size;
	size_t total = 0;

	for (size_t i = 0; i < blocks->count; i++)
		total += blocks->sizes[i];
	ck_assert_uint_eq(total, data->size);
	ck_assert_int_eq(bzip_append(&packed, data->data, blocks, level, &error), 0);
	ck_assert_int_eq(packed.data[3], '0' + level);
	ck_assert_int_eq(BZ2_bzBuffToBuffDecompress((char *)again.data, &size, (char *)packed.data,
	                                            (unsigned int)packed.size, 0, 0),
	                 BZ_OK);
	again.size = size;
	bytes_expect_equal(&again, data);
	total = packed.size;
	buffer_free(&packed);
	bytes_free(&again);
	return total;
}

static struct blocks find(const struct bytes *data)
{
	struct blocks blocks;
	struct error error = {0};

	ck_assert_int_eq(blocks_find(&blocks, data->data, data->size, &error), 0);
	return blocks;
}

/* Text, and numbers from a narrow range: to be told apart. */
START_TEST(test_unlike_parts)
{
	struct bytes data = text_bytes(300001, 1), numbers = random_bytes(200001, 2);
	struct blocks blocks;
	size_t size;

	for (size_t i = 0; i < numbers.size; i++)
		numbers.data[i] = (uint8_t)('a' + numbers.data[i] % 16);
	bytes_append(&data, numbers.data, numbers.size);
	blocks = find(&data);
	ck_assert_uint_ge(blocks.count, 2);
	size = pack(&data, &blocks, bzip_level(data.data, &blocks));
	ck_assert_uint_lt(size + 1000, pack(&data, &(struct blocks){.sizes = &data.size, .count = 1}, BZIP_LEVELS));
	/* Smaller blocks than they should be are possible, too. */
	ck_assert_int_gt(bzip_level(data.data, &blocks), 1);
	(void)pack(&data, &blocks, 1);
	blocks_free(&blocks);
	bytes_free(&numbers);
	bytes_free(&data);
}
END_TEST

/* Too little, the same all over, nothing at all, and what does not compress: one block. */
START_TEST(test_one_block)
{
	struct bytes all[] = {text_bytes(10000, 3), bytes_new(0), random_bytes(300000, 4), bytes_new(5000000)};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct blocks blocks = find(&all[i]);

		ck_assert_uint_eq(blocks.count, 1);
		(void)pack(&all[i], &blocks, bzip_level(all[i].data, &blocks));
		blocks_free(&blocks);
		bytes_free(&all[i]);
	}
}
END_TEST

Suite *suite_blocks(void)
{
	Suite *suite = suite_create("blocks");
	TCase *tcase = tcase_create("blocks");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_unlike_parts);
	tcase_add_test(tcase, test_one_block);
	suite_add_tcase(suite, tcase);
	return suite;
}
