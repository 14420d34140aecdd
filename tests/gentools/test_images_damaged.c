/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "base/bytes.h"
#include "gentools/image_ubifs.h"
#include "images.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const small_images[] = {"small.ubifs", "small.ubi", "static.ubi"};

/* Every bit that counts is guarded by a checksum; of squashfs those in a static volume. */
START_TEST(flipped_bits)
{
	struct image_bytes bytes = images_read(small_images[_i]);
	uint32_t expected = images_fingerprint(&bytes);
	size_t refused = 0;

	for (size_t at = 0; at < bytes.size; at += at % 15872 < 1024 ? 5 : 251) {
		uint8_t bit = (uint8_t)(1u << at % 8);

		bytes.data[at] ^= bit;
		refused += images_refused(&bytes, bytes.size, expected);
		bytes.data[at] ^= bit;
	}
	ck_assert_uint_gt(refused, 100);
	free(bytes.data);
}
END_TEST

START_TEST(cut_anywhere)
{
	struct image_bytes bytes = images_read(small_images[_i]);
	uint32_t expected = images_fingerprint(&bytes);
	size_t refused = 0;

	for (size_t size = 0; size < bytes.size; size += 1009) {
		/* So that a sanitizer sees what is read behind the end. */
		struct image_bytes cut = {.data = malloc(size ? size : 1), .size = size};

		ck_assert_ptr_nonnull(cut.data);
		memcpy(cut.data, bytes.data, size);
		refused += images_refused(&cut, size, expected);
		free(cut.data);
	}
	ck_assert_uint_gt(refused, bytes.size / 1009 / 4);
	free(bytes.data);
}
END_TEST

/* squashfs has no checksums that would tell: what comes of it must end, and in sound memory. */
START_TEST(damaged_squashfs)
{
	struct image_bytes bytes = images_read("small.squashfs");
	size_t refused = 0;

	(void)images_fingerprint(&bytes);
	for (size_t at = 0; at < bytes.size; at += at < 96 || at + 8192 > bytes.size ? 1 : 97) {
		struct tree tree;
		struct error error = {.message = ""};
		uint8_t bit = (uint8_t)(1u << at % 8);

		bytes.data[at] ^= bit;
		if (images_unpack(&tree, bytes.data, bytes.size, &error) < 0) {
			ck_assert_str_ne(error.message, "");
			refused++;
		}
		tree_free(&tree);
		bytes.data[at] ^= bit;
	}
	ck_assert_uint_gt(refused, 50);
	refused = 0;
	for (size_t size = 4; size < bytes.size - 4096; size += 509) {
		struct tree tree;

		refused += images_unpack(&tree, bytes.data, size, NULL) == -EINVAL;
		tree_free(&tree);
	}
	ck_assert_uint_eq(refused, (bytes.size - 4096 - 4 + 508) / 509);
	free(bytes.data);
}
END_TEST

/* What an attacker would write: whatever it is, it ends, and nothing is read that is not there. */
START_TEST(lies_with_good_checksums)
{
	enum { ROUNDS = 1500 };
	struct image_bytes good = images_read("small.ubifs");
	struct image_bytes bad = {.data = malloc(good.size), .size = good.size};
	uint32_t state = 1;
	size_t refused = 0;

	ck_assert_ptr_nonnull(bad.data);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct tree tree;
		struct error error;
		size_t nodes = 0;
		size_t chosen;

		memcpy(bad.data, good.data, good.size);
		for (size_t at = 0; at + 24 <= bad.size; at += 8)
			nodes += get_le32(bad.data + at) == UBIFS_MAGIC;
		ck_assert_uint_gt(nodes, 0);
		state = state * 1664525u + 1013904223u;
		chosen = (state >> 8) % nodes;
		for (size_t at = 0; at + 256 <= bad.size; at += 8) {
			if (get_le32(bad.data + at) != UBIFS_MAGIC || chosen-- != 0)
				continue;
			state = state * 1664525u + 1013904223u;
			bad.data[at + 16 + (state >> 8) % 170] = round % 3 ? (uint8_t)(state >> 24) : 0xff;
		}
		images_repair(&bad);
		refused += images_unpack(&tree, bad.data, bad.size, &error) < 0;
		tree_free(&tree);
	}
	ck_assert_uint_gt(refused, ROUNDS / 10);
	free(bad.data);
	free(good.data);
}
END_TEST

START_TEST(file_system_in_use)
{
	struct image_bytes bytes = images_read("small.ubifs");
	uint8_t *log;

	/* One of the masters is newer; */
	images_find_node(&bytes, 7, 0)[60] ^= 1;
	images_check_cause(&bytes, "while it was mounted");
	/* both say that it is mounted; */
	bytes = images_read("small.ubifs");
	images_find_node(&bytes, 7, 0)[40] |= 1;
	images_find_node(&bytes, 7, 1)[40] |= 1;
	images_check_cause(&bytes, "while it was mounted");
	/* the journal, behind the commit's start, refers to a block. */
	bytes = images_read("small.ubifs");
	log = images_find_node(&bytes, 10, 0);
	put_le32(log + 256, UBIFS_MAGIC);
	put_le32(log + 256 + 16, 64);
	log[256 + 20] = 8;
	images_check_cause(&bytes, "a journal that is not empty");
	bytes = images_read("small.ubifs");
	log = images_find_node(&bytes, 10, 0);
	log[32 + 20] = 8;
	images_check_cause(&bytes, "a journal that is not empty");
}
END_TEST

START_TEST(what_cannot_be_read)
{
	struct image_bytes bytes = images_read("small.ubifs");

	images_find_node(&bytes, 6, 0)[28] |= 0x10;
	images_check_cause(&bytes, "encrypted or signed");
	bytes = images_read("small.ubifs");
	images_find_node(&bytes, 6, 0)[124] = 1;
	images_check_cause(&bytes, "another version");
	/* Compressed by something else. */
	bytes = images_read("small.ubifs");
	images_find_node(&bytes, 1, 0)[44] = 9;
	images_check_cause(&bytes, "cannot be unpacked");
	/* A sparse file that no flash could hold. */
	bytes = images_read("small.ubifs");
	for (unsigned i = 0; i < 8; i++) {
		uint8_t *inode = images_find_node(&bytes, 0, i);

		if (get_le64(inode + 48) == 50000) {
			inode[48 + 5] = 1;
			break;
		}
	}
	{
		struct tree tree;
		struct error error;

		images_repair(&bytes);
		ck_assert_int_eq(images_unpack(&tree, bytes.data, bytes.size, &error), -EFBIG);
		tree_free(&tree);
		free(bytes.data);
	}
}
END_TEST

/* The root as an entry of a folder of its own. */
START_TEST(folder_in_itself)
{
	struct image_bytes bytes = images_read("small.ubifs");

	for (unsigned i = 0;; i++) {
		uint8_t *entry = images_find_node(&bytes, 2, i);

		if (strcmp((const char *)entry + 56, "empty") != 0)
			continue;
		put_le64(entry + 40, 1);
		break;
	}
	images_check_cause(&bytes, "has two names");
}
END_TEST

TCase *damaged_image_tests(void)
{
	TCase *tests = tcase_create("damaged images");

	tcase_set_timeout(tests, 120);
	tcase_add_unchecked_fixture(tests, images_start, images_end);
	tcase_add_loop_test(tests, flipped_bits, 0, sizeof(small_images) / sizeof(small_images[0]));
	tcase_add_loop_test(tests, cut_anywhere, 0, sizeof(small_images) / sizeof(small_images[0]));
	tcase_add_test(tests, damaged_squashfs);
	tcase_add_test(tests, lies_with_good_checksums);
	tcase_add_test(tests, file_system_in_use);
	tcase_add_test(tests, what_cannot_be_read);
	tcase_add_test(tests, folder_in_itself);
	return tests;
}
