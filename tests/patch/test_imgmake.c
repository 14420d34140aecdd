/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "tests/patch/craft.h"
#include "tests/patch/suites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int keep(void *ctx, const void *data, size_t length)
{
	bytes_append(ctx, data, length);
	return 0;
}

/* Empty: there is nothing for IMGDIFF2 to do. Any patch must make the new image. */
static struct bytes make_imgdiff2(const struct bytes *old, const struct bytes *new)
{
	struct bytes patch = {0};
	struct sink sink = {.write = keep, .ctx = &patch};
	struct error error = {0};
	int err = patch_make_imgdiff2(old->data, old->size, new->data, new->size, 0, &sink, &error);

	if (err == 0)
		apply_expect(old, &patch, NULL, new);
	else
		ck_assert_int_eq(err, -ENOTSUP);
	ck_assert_int_eq(err == 0, patch.size > 0);
	return patch;
}

/* Much smaller than bsdiff's, and the same each time. */
static void expect_small(const struct bytes *old, const struct bytes *new)
{
	struct bytes plain = make_bsdiff40(old, new);
	struct bytes patch = make_imgdiff2(old, new);
	struct bytes again = make_imgdiff2(old, new);

	ck_assert_uint_gt(patch.size, 0);
	ck_assert_uint_lt(patch.size, plain.size / 4);
	bytes_expect_equal(&again, &patch);
	bytes_free(&plain);
	bytes_free(&patch);
	bytes_free(&again);
}

static void expect_none(const struct bytes *old, const struct bytes *new)
{
	struct bytes patch = make_imgdiff2(old, new);

	ck_assert_uint_eq(patch.size, 0);
	bytes_free(&patch);
}

/* At most what is new is in it as it is. */
static void expect_not_inflated(const struct bytes *old, const struct bytes *new)
{
	struct bytes patch = make_imgdiff2(old, new);

	ck_assert(patch.size == 0 || patch.size + 100 > new->size);
	bytes_free(&patch);
}

static struct deflate_params params_of(int level, int mem_level)
{
	return (struct deflate_params){.level = level, .method = 8, .window_bits = -15, .mem_level = mem_level};
}

/* A gzip member with all the header fields that these flags ask for. */
static void append_gzip(struct bytes *image, const struct bytes *plain, const struct deflate_params *params,
                        uint8_t flags)
{
	uint8_t header[10] = {0x1f, 0x8b, 8, flags};
	struct bytes packed = deflate_bytes(plain, params);
	uint8_t trailer[8] = {0};

	bytes_append(image, header, sizeof(header));
	if (flags & 4)
		bytes_append(image, "\5\0extra", 7);
	if (flags & 8)
		bytes_append(image, "name", 5);
	if (flags & 16)
		bytes_append(image, "comment", 8);
	if (flags & 2)
		bytes_append(image, "cc", 2);
	bytes_append(image, packed.data, packed.size);
	put_le32(trailer + 4, (uint32_t)plain->size);
	bytes_append(image, trailer, sizeof(trailer));
	bytes_free(&packed);
}

/* A local header and its data; with a data descriptor the header does not know how long they are. */
static void append_zip(struct bytes *image, const char *name, const struct bytes *plain, int level, bool descriptor)
{
	uint8_t header[30] = {'P', 'K', 3, 4, 20, 0, descriptor ? 8 : 0, 0, 8};
	struct deflate_params params = params_of(level, 8);
	struct bytes packed = deflate_bytes(plain, &params);
	uint8_t trailer[16] = {'P', 'K', 7, 8};

	put_le32(header + 18, descriptor ? 0 : (uint32_t)packed.size);
	put_le32(header + 22, descriptor ? 0 : (uint32_t)plain->size);
	header[26] = (uint8_t)strlen(name);
	bytes_append(image, header, sizeof(header));
	bytes_append(image, name, strlen(name));
	bytes_append(image, packed.data, packed.size);
	put_le32(trailer + 8, (uint32_t)packed.size);
	put_le32(trailer + 12, (uint32_t)plain->size);
	if (descriptor)
		bytes_append(image, trailer, sizeof(trailer));
	bytes_free(&packed);
}

/* Two versions of something that compresses. */
struct versions {
	struct bytes old;
	struct bytes new;
};

static struct versions versions_of(size_t size, uint32_t seed)
{
	struct versions v = {.old = text_bytes(size, seed)};

	v.new = bytes_copy(v.old.data, v.old.size);
	for (size_t i = 50; i < size; i += 2000)
		v.new.data[i] ^= 1;
	return v;
}

static void versions_free(struct versions *v)
{
	bytes_free(&v->old);
	bytes_free(&v->new);
}

/* Every level, either memory level, all header fields. */
START_TEST(test_gzip)
{
	struct deflate_params params = params_of(_i / 2 + 1, _i % 2 + 8);
	struct versions plain = versions_of(300000, 41);
	struct bytes old = {0}, new = {0};

	append_gzip(&old, &plain.old, &params, 0);
	append_gzip(&new, &plain.new, &params, (uint8_t)(_i * 2 & 0x1e));
	expect_small(&old, &new);
	bytes_free(&old);
	bytes_free(&new);
	versions_free(&plain);
}
END_TEST

/* As in a boot image: noise, a gzip'ed kernel, noise, a gzip'ed ramdisk, padding; and all of that shifted. */
START_TEST(test_image)
{
	struct deflate_params fast = params_of(1, 8);
	struct versions kernel = versions_of(400000, 42);
	struct versions ramdisk = versions_of(200000, 43);
	struct bytes noise = random_bytes(3000, 44);
	struct versions image = {{0}, {0}};
	uint8_t padding[4096] = {0};

	for (int i = 0; i < 2; i++) {
		struct bytes *out = i ? &image.new : &image.old;

		bytes_append(out, noise.data, i ? 3000 : 2000);
		append_gzip(out, i ? &kernel.new : &kernel.old, &default_params, 8);
		bytes_append(out, noise.data, i ? 10 : 50);
		append_gzip(out, i ? &ramdisk.new : &ramdisk.old, &fast, 0);
		bytes_append(out, padding, sizeof(padding));
	}
	expect_small(&image.old, &image.new);
	versions_free(&image);
	versions_free(&kernel);
	versions_free(&ramdisk);
	bytes_free(&noise);
}
END_TEST

/* Entries that change, stay, come, go and change their places; with and without data descriptors. */
START_TEST(test_zip)
{
	struct versions a = versions_of(100000, 51), b = versions_of(120000, 52);
	struct bytes same = text_bytes(30000, 53), come = text_bytes(500, 54);
	struct versions zip = {{0}, {0}};
	bool descriptor = _i % 2;

	append_zip(&zip.old, "a", &a.old, 9, descriptor);
	append_zip(&zip.old, "gone", &come, 9, descriptor);
	append_zip(&zip.old, "same", &same, 6, descriptor);
	append_zip(&zip.old, "dir/b", &b.old, 6, descriptor);
	append_zip(&zip.new, _i < 2 ? "a" : "dir/b", _i < 2 ? &a.new : &b.new, 6, descriptor);
	append_zip(&zip.new, "same", &same, 6, descriptor);
	append_zip(&zip.new, "come", &come, 6, descriptor);
	append_zip(&zip.new, _i < 2 ? "dir/b" : "a", _i < 2 ? &b.new : &a.new, 6, descriptor);
	expect_small(&zip.old, &zip.new);
	versions_free(&zip);
	versions_free(&a);
	versions_free(&b);
	bytes_free(&same);
	bytes_free(&come);
}
END_TEST

/* What the program gzip makes of it, whose choices are not zlib's. */
static struct bytes gnu_gzip(const struct bytes *plain)
{
	char path[] = "/tmp/test_patch_XXXXXX";
	char command[64], piece[4096];
	struct bytes packed = {0};
	FILE *file, *pipe;
	size_t n;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	file = fdopen(fd, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(plain->data, 1, plain->size, file), plain->size);
	ck_assert_int_eq(fclose(file), 0);
	(void)snprintf(command, sizeof(command), "exec gzip -6nc %s", path);
	pipe = popen(command, "r"); /* NOLINT(cert-env33-c): a command of our own */
	ck_assert_ptr_nonnull(pipe);
	while ((n = fread(piece, 1, sizeof(piece), pipe)) > 0)
		bytes_append(&packed, piece, n);
	ck_assert_int_eq(pclose(pipe), 0);
	ck_assert_int_eq(unlink(path), 0);
	return packed;
}

START_TEST(test_gnu_gzip)
{
	struct versions plain = versions_of(400000, 62);
	struct bytes old = gnu_gzip(&plain.old), new = gnu_gzip(&plain.new), made_by_zlib = {0};

	expect_none(&old, &new);
	/* How the old one was made does not matter. */
	append_gzip(&made_by_zlib, &plain.new, &default_params, 0);
	expect_small(&old, &made_by_zlib);
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&made_by_zlib);
	versions_free(&plain);
}
END_TEST

START_TEST(test_nothing_to_do)
{
	struct deflate_params huffman = {.level = 6, .method = 8, .window_bits = -15, .mem_level = 8, .strategy = 2};
	struct deflate_params narrow = {.level = 6, .method = 8, .window_bits = -10, .mem_level = 8};
	struct versions plain = versions_of(50000, 61);
	struct bytes none = bytes_new(0), old = {0}, foreign = {0}, small_window = {0};

	append_gzip(&old, &plain.old, &default_params, 0);
	append_gzip(&foreign, &plain.new, &huffman, 0);
	append_gzip(&small_window, &plain.new, &narrow, 0);
	expect_none(&none, &none);
	expect_none(&plain.old, &plain.new);
	expect_none(&old, &plain.new);
	expect_not_inflated(&plain.old, &old);
	expect_none(&old, &none);
	expect_none(&old, &old);             /* what is the same needs no inflating */
	expect_not_inflated(&old, &foreign); /* zlib would make other bytes of it */
	expect_not_inflated(&old, &small_window);
	versions_free(&plain);
	bytes_free(&none);
	bytes_free(&old);
	bytes_free(&foreign);
	bytes_free(&small_window);
}
END_TEST

static int memory_of(const struct bytes *patch, size_t size, uint64_t *memory, struct error *error)
{
	struct memory_block block = {.data = patch->data, .size = size};
	struct reader reader = reader_from_memory(&block);
	struct content content = content_from_reader(&reader);

	return patch_memory(&content, memory, error);
}

/* It needs what it says, which is less than the worst of its format. Cut anywhere or flipped, it reads what is there.
 */
START_TEST(test_memory)
{
	struct versions plain = versions_of(300000, 91);
	struct bytes old = {0}, new = {0}, patch;
	struct apply_run run = {.old = &old, .patch = &patch};
	struct error error = {0};
	uint64_t memory;

	append_gzip(&old, &plain.old, &default_params, 0);
	append_gzip(&new, &plain.new, &default_params, 8);
	patch = make_imgdiff2(&old, &new);
	run.expected_size = new.size;
	ck_assert_int_eq(apply_run(&run), 0);
	ck_assert_int_eq(memory_of(&patch, patch.size, &memory, &error), 0);
	ck_assert_uint_le(run.peak, memory);
	ck_assert_uint_lt(memory, PATCH_IMGDIFF2_MEMORY / 2);
	for (size_t i = 0; i < patch.size; i++) {
		error = (struct error){0};
		if (memory_of(&patch, i, &memory, &error) < 0)
			ck_assert_uint_gt(strlen(error.message), 0);
		patch.data[i] ^= 0x81;
		error = (struct error){0};
		if (memory_of(&patch, patch.size, &memory, &error) < 0)
			ck_assert_uint_gt(strlen(error.message), 0);
		patch.data[i] ^= 0x81;
	}
	ck_assert_int_lt(memory_of(&patch, IMGDIFF_HEADER_SIZE, &memory, &error), 0);
	bytes_free(&run.out);
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&patch);
	versions_free(&plain);
}
END_TEST

/* Whatever an image holds: a patch that is right, or none. Both of its versions are cut, and broken here and there. */
START_TEST(test_broken_images)
{
	struct versions plain = versions_of(3000, 71);
	struct versions image = {{0}, {0}};

	append_gzip(&image.old, &plain.old, &default_params, 30);
	append_zip(&image.old, "entry", &plain.old, 6, true);
	append_gzip(&image.new, &plain.new, &default_params, 30);
	append_zip(&image.new, "entry", &plain.new, 6, true);
	for (size_t i = 0; i < image.old.size; i += i < 80 ? 1 : 37) {
		struct bytes cut = bytes_copy(image.old.data, i);
		struct bytes patch = make_imgdiff2(&image.new, &cut);

		bytes_free(&patch);
		patch = make_imgdiff2(&cut, &image.new);
		bytes_free(&patch);
		bytes_free(&cut);
		cut = bytes_copy(image.old.data, image.old.size);
		cut.data[i] ^= (uint8_t)(1u << i % 8);
		patch = make_imgdiff2(&cut, &image.new);
		bytes_free(&patch);
		patch = make_imgdiff2(&image.new, &cut);
		bytes_free(&patch);
		bytes_free(&cut);
	}
	versions_free(&image);
	versions_free(&plain);
}
END_TEST

/* What inflates to too much is not taken. */
START_TEST(test_too_much)
{
	struct bytes plain = bytes_new((256u << 20) + 1);
	struct bytes old = {0}, new = {0};

	append_gzip(&old, &plain, &default_params, 0);
	plain.data[plain.size / 2] = 1;
	append_gzip(&new, &plain, &default_params, 0);
	expect_none(&old, &new);
	bytes_free(&plain);
	bytes_free(&old);
	bytes_free(&new);
}
END_TEST

START_TEST(test_refusals)
{
	size_t longest = 0;
	struct sink sink = full_sink(&longest);
	struct versions plain = versions_of(100000, 81);
	struct bytes old = {0}, new = {0};
	struct error error = {0};

#if SIZE_MAX > INT32_MAX
	ck_assert_int_eq(patch_make_imgdiff2("", (size_t)INT32_MAX + 1, "", 0, 0, &sink, &error), -EFBIG);
	ck_assert_int_eq(patch_make_imgdiff2("", 0, "", (size_t)INT32_MAX + 1, 0, &sink, &error), -EFBIG);
	ck_assert_ptr_nonnull(strstr(error.message, "too large"));
#endif
	append_gzip(&old, &plain.old, &default_params, 0);
	append_gzip(&new, &plain.new, &default_params, 0);
	ck_assert_int_eq(patch_make_imgdiff2(old.data, old.size, new.data, new.size, 0, &sink, &error), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(error.message, "cannot be written"));
	bytes_free(&old);
	bytes_free(&new);
	versions_free(&plain);
}
END_TEST

Suite *suite_imgmake(void)
{
	Suite *suite = suite_create("imgmake");
	TCase *tcase = tcase_create("imgdiff2");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_gzip, 0, 18);
	tcase_add_test(tcase, test_image);
	tcase_add_loop_test(tcase, test_zip, 0, 4);
	tcase_add_test(tcase, test_gnu_gzip);
	tcase_add_test(tcase, test_nothing_to_do);
	tcase_add_test(tcase, test_memory);
	tcase_add_test(tcase, test_broken_images);
	tcase_add_test(tcase, test_too_much);
	tcase_add_test(tcase, test_refusals);
	suite_add_tcase(suite, tcase);
	return suite;
}
