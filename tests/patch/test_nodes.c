/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "patch/nodes.h"
#include "tests/patch/suites.h"
#include "tests/patch/volume.h"

#include <string.h>

/* The LEBs of a volume of two files, the second of which is given. */
static struct bytes volume_with(const struct bytes *second, bool packed, uint64_t sequence)
{
	const struct volume_settings settings = {.packed = packed, .sequence = sequence};
	struct bytes files[] = {text_bytes(9000, 1), *second};
	struct bytes volume = volume_of(files, 2, &settings);

	bytes_free(&files[0]);
	return volume;
}

static struct bytes sorted_copy(const struct bytes *volume)
{
	struct bytes sorted = bytes_new(volume->size);

	for (size_t at = 0; at < volume->size; at += VOLUME_LEB)
		nodes_sort(volume->data + at, VOLUME_LEB, sorted.data + at);
	return sorted;
}

static void expect_restored(const struct bytes *sorted, const struct bytes *volume)
{
	struct bytes restored = bytes_new(volume->size);

	for (size_t at = 0; at < volume->size; at += VOLUME_LEB)
		nodes_restore(sorted->data + at, VOLUME_LEB, restored.data + at);
	bytes_expect_equal(&restored, volume);
	bytes_free(&restored);
}

START_TEST(test_sorted_and_back)
{
	struct bytes file = random_bytes(50001, 2);
	struct bytes volume = volume_with(&file, _i == 1, 77);
	struct bytes sorted = sorted_copy(&volume);

	ck_assert(memmem(volume.data, volume.size, file.data + 8192, 8192) == NULL);
	ck_assert(memmem(sorted.data, sorted.size, file.data + 8192, 8192) != NULL);
	expect_restored(&sorted, &volume);
	bytes_free(&sorted);
	bytes_free(&volume);
	bytes_free(&file);
}
END_TEST

/* Numbers that all nodes have more of are told once in each LEB; checksums never, nor where something has moved to. */
START_TEST(test_little_differs)
{
	struct bytes file = text_bytes(50001, 2);
	struct bytes one = volume_with(&file, false, 77), other = volume_with(&file, false, 1000077);
	struct bytes sorted = sorted_copy(&one), other_sorted = sorted_copy(&other);
	size_t different = 0;

	for (size_t i = 0; i < sorted.size; i++)
		different += sorted.data[i] != other_sorted.data[i];
	ck_assert_uint_gt(different, 0);
	ck_assert_uint_le(different, 3 * (sorted.size / VOLUME_LEB));
	bytes_free(&other_sorted);
	bytes_free(&sorted);
	bytes_free(&other);
	bytes_free(&one);
	bytes_free(&file);
}
END_TEST

START_TEST(test_walk)
{
	struct bytes file = text_bytes(50001, 2);
	struct bytes volume = volume_with(&file, false, 1), sorted = sorted_copy(&volume), found = {0};
	struct nodes_data node;

	for (size_t at = 0; at < sorted.size; at += VOLUME_LEB) {
		struct nodes_walk walk = {.leb_at = 0};

		while (nodes_next(&walk, sorted.data + at, VOLUME_LEB, &node)) {
			ck_assert_uint_eq(get_le32(node.head + 16), NODES_DATA_HEAD + node.size);
			if (get_le32(node.head + 24) == 65)
				bytes_append(&found, sorted.data + at + node.at, node.size);
		}
	}
	bytes_expect_equal(&found, &file);
	bytes_free(&found);
	bytes_free(&sorted);
	bytes_free(&volume);
	bytes_free(&file);
}
END_TEST

/* Anything is restored to something within its bounds, whose checksums are right: it is sorted and restored again. */
START_TEST(test_anything)
{
	struct bytes file = text_bytes(20000, 2);
	struct bytes volume = volume_with(&file, true, 5), sorted = sorted_copy(&volume);
	struct bytes restored = bytes_new(VOLUME_LEB), again = bytes_new(VOLUME_LEB);
	struct bytes twice = bytes_new(VOLUME_LEB);
	uint32_t random = 3;

	for (unsigned round = 0; round < 3000; round++) {
		uint8_t *leb = sorted.data + next_random(&random) % (sorted.size / VOLUME_LEB) * VOLUME_LEB;
		struct nodes_walk walk = {.leb_at = 0};
		size_t size = VOLUME_LEB - (round % 3 ? 0 : next_random(&random) % 100);
		struct nodes_data node;

		leb[next_random(&random) % (round % 2 ? 600 : VOLUME_LEB)] = (uint8_t)next_random(&random);
		nodes_restore(leb, size, restored.data);
		nodes_sort(restored.data, size, again.data);
		nodes_restore(again.data, size, twice.data);
		ck_assert(memcmp(twice.data, restored.data, size) == 0);
		while (nodes_next(&walk, leb, size, &node))
			ck_assert(node.at <= size && node.size <= size - node.at);
	}
	bytes_free(&twice);
	bytes_free(&again);
	bytes_free(&restored);
	bytes_free(&sorted);
	bytes_free(&volume);
	bytes_free(&file);
}
END_TEST

Suite *suite_nodes(void)
{
	Suite *suite = suite_create("nodes");
	TCase *tcase = tcase_create("nodes");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_sorted_and_back, 0, 2);
	tcase_add_test(tcase, test_little_differs);
	tcase_add_test(tcase, test_walk);
	tcase_add_test(tcase, test_anything);
	suite_add_tcase(suite, tcase);
	return suite;
}
