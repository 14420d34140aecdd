/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "patch/bsdiff.h"
#include "tests/patch/craft.h"
#include "tests/patch/suites.h"

#include <bzlib.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The programs bsdiff and bspatch, the other side of the format, work on these files. */
struct workshop {
	char folder[32];
	char old[64];
	char new[64];
	char patch[64];
};

static struct workshop workshop_open(void)
{
	struct workshop shop = {.folder = "/tmp/test_patch_XXXXXX"};

	ck_assert_ptr_nonnull(mkdtemp(shop.folder));
	(void)snprintf(shop.old, sizeof(shop.old), "%s/old", shop.folder);
	(void)snprintf(shop.new, sizeof(shop.new), "%s/new", shop.folder);
	(void)snprintf(shop.patch, sizeof(shop.patch), "%s/patch", shop.folder);
	return shop;
}

static void workshop_close(const struct workshop *shop)
{
	ck_assert_int_eq(unlink(shop->old), 0);
	ck_assert_int_eq(unlink(shop->new), 0);
	ck_assert_int_eq(unlink(shop->patch), 0);
	ck_assert_int_eq(rmdir(shop->folder), 0);
}

static void save(const char *path, const struct bytes *bytes)
{
	FILE *file = fopen(path, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes->data, 1, bytes->size, file), bytes->size);
	ck_assert_int_eq(fclose(file), 0);
}

static struct bytes load(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct bytes bytes = {0};
	char piece[4096];
	size_t n;

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		bytes_append(&bytes, piece, n);
	ck_assert_int_eq(fclose(file), 0);
	return bytes;
}

static void run_program(const char *name, const struct workshop *shop)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		execlp(name, name, shop->old, shop->new, shop->patch, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: wait status %d", name, status);
}

/* Their patch by our applier, and ours about as small as theirs. */
static void check_their_patch(const struct workshop *shop, const struct bytes *old, const struct bytes *new,
                              size_t ours)
{
	struct bytes theirs;

	if (old->size == 0 || new->size == 0)
		return; /* bsdiff cannot map an empty file */
	run_program("bsdiff", shop);
	theirs = load(shop->patch);
	apply_expect(old, &theirs, NULL, new);
	ck_assert_msg(ours <= theirs.size + theirs.size / 100 + 32, "%zu bytes, bsdiff's %zu", ours, theirs.size);
	bytes_free(&theirs);
}

/* Our patch by their applier. */
static void check_our_patch(const struct workshop *shop, const struct bytes *patch, const struct bytes *new)
{
	struct bytes made;

	save(shop->patch, patch);
	ck_assert_int_eq(unlink(shop->new), 0);
	run_program("bspatch", shop);
	made = load(shop->new);
	bytes_expect_equal(&made, new);
	bytes_free(&made);
}

static void compare_with_bsdiff(const struct bytes *old, const struct bytes *new)
{
	struct workshop shop = workshop_open();
	struct bytes patch = make_bsdiff40(old, new);

	apply_expect(old, &patch, NULL, new);
	save(shop.old, old);
	save(shop.new, new);
	check_their_patch(&shop, old, new, patch.size);
	check_our_patch(&shop, &patch, new);
	workshop_close(&shop);
	bytes_free(&patch);
}

/* All pairs of a few images of every sort of size. */
START_TEST(test_pairs)
{
	struct bytes images[7];
	size_t count = sizeof(images) / sizeof(images[0]);

	images[0] = bytes_new(0);
	images[1] = bytes_copy("x", 1);
	images[2] = random_bytes(20000, 5);
	images[3] = edited_copy(&images[2], 6);
	images[4] = text_bytes(50000, 7);
	images[5] = edited_copy(&images[4], 8);
	images[6] = bytes_new(30000);
	for (size_t i = 0; i < count * count; i++)
		compare_with_bsdiff(&images[i / count], &images[i % count]);
	for (size_t i = 0; i < count; i++)
		bytes_free(&images[i]);
}
END_TEST

START_TEST(test_real_programs)
{
	struct bytes old = load("/bin/bash");
	struct bytes new = load("/bin/dash");

	struct bytes patch = make_bsdiff40(&old, &new);
	struct bytes again = make_bsdiff40(&old, &new);

	bytes_expect_equal(&again, &patch);
	compare_with_bsdiff(&old, &new);
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&patch);
	bytes_free(&again);
}
END_TEST

/* Erased flash and what lies in it, shifted: runs longer than what a search compares. */
START_TEST(test_long_runs)
{
	struct bytes old = bytes_new(700000);
	struct bytes text = text_bytes(50000, 9);
	struct bytes new;

	memset(old.data + 400000, 0xff, 300000);
	memcpy(old.data + 350000, text.data, text.size);
	new = bytes_copy(old.data + 1111, old.size - 1111);
	bytes_append(&new, old.data + 600000, 50000);
	for (size_t i = 0; i < 350000; i += 40000)
		new.data[i] = 1;
	compare_with_bsdiff(&old, &new);
	bytes_free(&old);
	bytes_free(&text);
	bytes_free(&new);
}
END_TEST

/* Pieces in another order: every turn of the writer is one of bsdiff's control entries. */
START_TEST(test_moved_pieces)
{
	struct bytes old = random_bytes(64000, 11);
	struct bytes new = {0};

	for (size_t i = 0; i < 64; i++)
		bytes_append(&new, old.data + (i * 29 % 64) * 1000, 1000);
	compare_with_bsdiff(&old, &new);
	bytes_free(&old);
	bytes_free(&new);
}
END_TEST

/* A stream as long as this tells which blocks it was cut into: not more than bzip2 -9 makes, and no larger ones. */
static void expect_blocks(const uint8_t *stream, size_t packed_size, const struct bytes *plain, char level)
{
	unsigned int size = (unsigned int)(plain->size + plain->size / 100 + 600);
	struct bytes largest = bytes_new(size);

	ck_assert_int_eq(BZ2_bzBuffToBuffCompress((char *)largest.data, &size, (char *)plain->data,
	                                          (unsigned int)plain->size, 9, 0, 0),
	                 BZ_OK);
	ck_assert_uint_eq(packed_size, size);
	ck_assert_int_eq(stream[3], level);
	bytes_free(&largest);
}

/* Nothing old, so that all of the new image is the extra stream. */
START_TEST(test_blocks_of_noise)
{
	static const struct {
		size_t size;
		char level;
	} cases[] = {{1, '1'}, {99000, '1'}, {101000, '2'}, {799000, '8'}, {850000, '9'}, {2000000, '9'}};
	struct bytes old = bytes_new(0);
	struct bytes new = random_bytes(cases[_i].size, 3);
	struct bytes patch = make_bsdiff40(&old, &new);
	size_t extra_at = BSDIFF_HEADER_SIZE + (size_t)(get_le64(patch.data + 8) + get_le64(patch.data + 16));

	expect_blocks(patch.data + extra_at, patch.size - extra_at, &new, cases[_i].level);
	ck_assert_int_eq(patch.data[BSDIFF_HEADER_SIZE + 3], '1');
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&patch);
}
END_TEST

/* The same image twice: a diff stream of zeros, of which bzip2 makes little before it looks at blocks. */
START_TEST(test_blocks_of_zeros)
{
	struct bytes old = text_bytes(3000000, 3);
	struct bytes zeros = bytes_new(old.size);
	struct bytes patch = make_bsdiff40(&old, &old);
	size_t diff_at = BSDIFF_HEADER_SIZE + (size_t)get_le64(patch.data + 8);

	expect_blocks(patch.data + diff_at, (size_t)get_le64(patch.data + 16), &zeros, '1');
	bytes_free(&old);
	bytes_free(&zeros);
	bytes_free(&patch);
}
END_TEST

/*
 * A program that was linked anew: what moved agrees in most bytes but the addresses in it, so that no exact match is
 * long. Whoever looks at exact matches only stays where it is and ships the code once more.
 */
START_TEST(test_moved_code)
{
	const size_t word = 4, words = 40000, piece = 64;
	struct bytes old = random_bytes(words * word, 21);
	struct bytes new = {0};
	struct bytes patch;

	for (size_t i = 0; i < words / piece; i++)
		bytes_append(&new, old.data + i * 29 % (words / piece) * piece * word, piece * word);
	for (size_t i = 8; i < new.size; i += 12)
		new.data[i] = (uint8_t)(new.data[i] + 1);
	patch = make_bsdiff40(&old, &new);
	apply_expect(&old, &patch, NULL, &new);
	ck_assert_uint_lt(patch.size, new.size / 8);
	compare_with_bsdiff(&old, &new);
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&patch);
}
END_TEST

START_TEST(test_refusals)
{
	size_t longest = 32; /* its head */
	struct sink sink = full_sink(&longest);
	struct error error = {0};

#if SIZE_MAX > INT32_MAX
	ck_assert_int_eq(patch_make_bsdiff40("", (size_t)INT32_MAX + 1, "", 0, 0, &sink, &error), -EFBIG);
	ck_assert_int_eq(patch_make_bsdiff40("", 0, "", (size_t)INT32_MAX + 1, 0, &sink, &error), -EFBIG);
	ck_assert_ptr_nonnull(strstr(error.message, "too large"));
#endif
	ck_assert_int_eq(patch_make_bsdiff40("old", 3, "new", 3, 0, &sink, &error), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(error.message, "cannot be written"));
}
END_TEST

Suite *suite_make(void)
{
	Suite *suite = suite_create("make");
	TCase *tcase = tcase_create("bsdiff40");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_pairs);
	tcase_add_test(tcase, test_real_programs);
	tcase_add_test(tcase, test_long_runs);
	tcase_add_test(tcase, test_moved_pieces);
	tcase_add_test(tcase, test_moved_code);
	tcase_add_loop_test(tcase, test_blocks_of_noise, 0, 6);
	tcase_add_test(tcase, test_blocks_of_zeros);
	tcase_add_test(tcase, test_refusals);
	suite_add_tcase(suite, tcase);
	return suite;
}
