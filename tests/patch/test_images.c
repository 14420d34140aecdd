/* SPDX-License-Identifier: Apache-2.0 */
/* Views of images of file systems. */
#include "tests/patch/show.h"
#include "tests/patch/squash.h"
#include "tests/patch/squeeze.h"
#include "tests/patch/suites.h"
#include "tests/patch/volume.h"

#include <string.h>

START_TEST(test_ubifs)
{
	static const struct {
		bool zlib;
		int level;
	} all[] = {{false, 8}, {false, 0}, {false, 9}, {false, 3}, {true, 6}, {true, 9}};
	struct bytes plain = text_bytes(4096, 1), short_plain = text_bytes(100, 2), node;
	struct show show = {0};

	show_add(&show, random_bytes(777, 2));
	show_add(&show, squeeze_ubifs(&plain, all[_i].zlib, all[_i].level));
	show_add(&show, squeeze_ubifs(&short_plain, all[_i].zlib, all[_i].level));
	node = squeeze_ubifs(&plain, all[_i].zlib, all[_i].level);
	node.data[24] ^= 1; /* its checksum is wrong */
	show_add(&show, node);
	show_add(&show, random_bytes(99, 3));
	show_expect(&show, 2);
	ck_assert(show_has(&show.found, &plain) && show_has(&show.found, &short_plain));
	show_free(&show);
	bytes_free(&short_plain);
	bytes_free(&plain);
}
END_TEST

/* Every block of files, fragments and tables that is compressed, and no stored one. Equal files share theirs. */
START_TEST(test_squashfs)
{
	static const struct squash_settings all[] = {
		{.level = 8, .optimized = true, .has_fragments = true, .has_exports = true},
		{.level = 8, .optimized = true},
		{.level = 3, .has_fragments = true},
		{.level = 9, .optimized = true, .has_exports = true},
	};
	const struct squash_settings *settings = &all[_i];
	struct bytes files[] = {text_bytes(30000, 1), text_bytes(100, 2), random_bytes(5000, 3), text_bytes(8192, 4)};
	size_t blocks = settings->has_fragments ? 7 + 2 + 1 : 8 + 1 + 2;
	size_t tables = 4u + settings->has_fragments + settings->has_exports; /* inodes, folders (two), identifiers */
	struct show show = {0};

	show_add(&show, random_bytes(777, 2));
	show_add(&show, squash(files, 4, settings));
	show_add(&show, random_bytes(99, 3));
	show_expect(&show, blocks + tables);
	ck_assert(show_has(&show.found, &files[3]));
	ck_assert(settings->has_fragments || (show_has(&show.found, &files[0]) && show_has(&show.found, &files[1])));
	show_free(&show);
	for (size_t i = 0; i < 4; i++)
		bytes_free(&files[i]);
}
END_TEST

/* In sorted LEBs, where files' blocks are one behind the other, whether they were compressed or not. */
START_TEST(test_volume)
{
	struct bytes files[] = {text_bytes(30000, 1), random_bytes(20000, 2), text_bytes(4096, 3)};
	const struct volume_settings settings = {.packed = _i == 1, .sequence = 9};
	struct show show = {0};
	struct bytes damaged;
	size_t pairs = 0;

	show_add(&show, volume_of(files, 3, &settings));
	show_expect(&show, settings.packed ? 8 + 1 : 0);
	ck_assert_uint_eq(show.found.view.sorted.leb_size, VOLUME_LEB);
	for (size_t at = 0; at < 12288; at += 4096)
		pairs += show_has(&show.found, &(struct bytes){.data = files[1].data + at, .size = 8192});
	ck_assert_uint_ge(pairs, 1); /* no more than three blocks are in one LEB */
	ck_assert(show_has(&show.found, &files[2]));
	viewed_free(&show.found);

	/* Where a node is damaged its LEB stays as it is. */
	damaged = bytes_copy(show.image.data, show.image.size);
	damaged.data[VOLUME_LEB + 100] ^= 1;
	bytes_free(&show.image);
	show.image = damaged;
	show_expect(&show, settings.packed ? 8 + 1 : 0);
	ck_assert(!sorted_begins(&show.found.view.sorted, VOLUME_LEB));
	show_free(&show);
	for (size_t i = 0; i < 3; i++)
		bytes_free(&files[i]);
}
END_TEST

/* A file is found where the view shows its blocks. */
START_TEST(test_extents)
{
	struct bytes files[] = {text_bytes(30000, 1), text_bytes(50000, 3)};
	const struct volume_settings settings = {.packed = _i == 1};
	struct bytes found[2] = {bytes_new(30000), bytes_new(50000)};
	const struct extents *extents;
	struct show show = {0};

	show_add(&show, volume_of(files, 2, &settings));
	show_expect(&show, settings.packed ? 8 + 13 : 0);
	extents = &show.found.extents;
	ck_assert_uint_lt(extents->count, settings.packed ? 7 : 10);
	for (const struct extent *e = extents->list; e < extents->list + extents->count; e++) {
		struct bytes *file = &found[e->file - 64];

		ck_assert(e->file_at <= file->size && e->size <= file->size - e->file_at);
		memcpy(file->data + e->file_at, show.found.plain.data + e->at, e->size);
	}
	for (size_t i = 0; i < 2; i++) {
		bytes_expect_equal(&found[i], &files[i]);
		bytes_free(&found[i]);
		bytes_free(&files[i]);
	}
	show_free(&show);
}
END_TEST

/* LEBs are sorted where units hold whole ones, there is the memory for it, and in both images. */
START_TEST(test_volume_limits)
{
	static const struct view_limits all[] = {{.unit = 0},
	                                         {.unit = 2 * VOLUME_LEB},
	                                         {.unit = 3 * VOLUME_LEB / 2},
	                                         {.memory = 32 * VOLUME_LEB},
	                                         {.memory = 4 * VOLUME_LEB}};
	static const bool sorted[] = {true, true, false, true, false};
	struct bytes files[] = {text_bytes(30000, 1), text_bytes(50000, 3)};
	struct bytes old = volume_of(files, 1, &(struct volume_settings){.sequence = 1});
	struct bytes new = volume_of(files, 2, &(struct volume_settings){.sequence = 5});
	struct image old_image = {.data = old.data, .size = (int64_t)old.size};
	struct image new_image = {.data = new.data, .size = (int64_t) new.size};
	struct viewed old_viewed, new_viewed;

	for (size_t i = 0; i < sizeof(sorted); i++) {
		ck_assert_int_eq(view_find_pair(&old_viewed, &new_viewed, &old_image, &new_image, &all[i], NULL), 0);
		ck_assert(old_viewed.view.sorted.leb_size > 0 ? sorted[i] : !sorted[i]);
		ck_assert(new_viewed.view.sorted.leb_size > 0 ? sorted[i] : !sorted[i]);
		viewed_free(&old_viewed);
		viewed_free(&new_viewed);
		ck_assert_int_eq(view_find_pair(&old_viewed, &new_viewed,
		                                &(struct image){.data = files[0].data, .size = 30000}, &new_image,
		                                &all[i], NULL),
		                 0);
		ck_assert_uint_eq(new_viewed.view.sorted.leb_size, 0);
		viewed_free(&old_viewed);
		viewed_free(&new_viewed);
	}
	bytes_free(&new);
	bytes_free(&old);
	bytes_free(&files[0]);
	bytes_free(&files[1]);
}
END_TEST

Suite *suite_images(void)
{
	Suite *suite = suite_create("images");
	TCase *tcase = tcase_create("images");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_ubifs, 0, 6);
	tcase_add_loop_test(tcase, test_squashfs, 0, 4);
	tcase_add_loop_test(tcase, test_volume, 0, 2);
	tcase_add_loop_test(tcase, test_extents, 0, 2);
	tcase_add_test(tcase, test_volume_limits);
	suite_add_tcase(suite, tcase);
	return suite;
}
