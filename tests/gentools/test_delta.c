/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "gentools/delta.h"
#include "patch/patch.h"
#include "tests/patch/program.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define PLAIN_SIZE 200000
#define IMAGE_SIZE (PLAIN_SIZE + 1000)

static const struct delta_options lineage;

/* Records that compress, of which one in a hundred differs between the versions. */
static void fill(uint8_t *plain, unsigned version)
{
	uint32_t random = 1;

	for (size_t i = 0; i < PLAIN_SIZE; i++) {
		random = random * 1103515245 + 12345;
		plain[i] = (uint8_t)(i % 8 < 6 ? i % 8 : random >> 24);
		if (i % 800 == 0)
			plain[i] = (uint8_t)version;
	}
}

/* A version as a piece of the spool: as it is, or as a gzip member. */
static struct extent put_version(struct spool *spool, unsigned version, bool gzip)
{
	static uint8_t plain[PLAIN_SIZE], image[IMAGE_SIZE];
	z_stream z = {.next_in = plain, .avail_in = sizeof(plain), .next_out = image, .avail_out = sizeof(image)};
	struct extent extent;

	fill(plain, version);
	spool_start(spool, &extent);
	if (!gzip) {
		ck_assert_int_eq(spool_append(spool, &extent, plain, sizeof(plain)), 0);
		return extent;
	}
	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	ck_assert_int_eq(deflateEnd(&z), Z_OK);
	ck_assert_int_eq(spool_append(spool, &extent, image, z.total_out), 0);
	return extent;
}

/* What a module makes of it. */
struct made {
	uint8_t data[IMAGE_SIZE];
	size_t size;
};

static int take(void *ctx, const void *data, size_t length)
{
	struct made *made = ctx;

	ck_assert_uint_le(length, sizeof(made->data) - made->size);
	memcpy(made->data + made->size, data, length);
	made->size += length;
	return 0;
}

static void expect_patch(const struct mapping *old, const struct mapping *new, const struct mapping *patch)
{
	struct memory_block old_block = {.data = old->data, .size = old->size};
	struct memory_block patch_block = {.data = patch->data, .size = patch->size};
	struct reader from = reader_from_memory(&old_block);
	struct reader reader = reader_from_memory(&patch_block);
	struct content content = content_from_reader(&reader);
	struct made *made = calloc(1, sizeof(*made));
	struct sink sink = {.write = take, .ctx = made};
	struct error error = {0};

	ck_assert_ptr_nonnull(made);
	ck_assert_int_eq(patch_apply(&from, &content, NULL, new->size, &sink, &error), 0);
	ck_assert_uint_eq(made->size, new->size);
	ck_assert(memcmp(made->data, new->data, new->size) == 0);
	free(made);
}

/* Each format where it is the smaller one; what is gzip'ed costs hardly more than what is not. */
START_TEST(test_formats)
{
	static const char *const magics[] = {"BSDIFF40", "IMGDIFF2"};
	struct spool versions, spool;
	struct extent old, new, patch;
	struct mapping maps[3];
	struct error error = {0};

	ck_assert_int_eq(spool_open(&versions), 0);
	ck_assert_int_eq(spool_open(&spool), 0);
	for (int gzip = 0; gzip < 2; gzip++) {
		old = put_version(&versions, 1, gzip);
		new = put_version(&versions, 2, gzip);
		ck_assert_int_eq(delta_make(&old, &new, &lineage, &spool, &patch, &error), 0);
		ck_assert_uint_lt(patch.size, 1000);
		ck_assert_int_eq(extent_map(&old, &maps[0]), 0);
		ck_assert_int_eq(extent_map(&new, &maps[1]), 0);
		ck_assert_int_eq(extent_map(&patch, &maps[2]), 0);
		ck_assert(memcmp(maps[2].data, magics[gzip], 8) == 0);
		expect_patch(&maps[0], &maps[1], &maps[2]);
		for (size_t i = 0; i < 3; i++)
			extent_unmap(&maps[i]);
	}
	spool_close(&spool);
	spool_close(&versions);
}
END_TEST

static struct extent put(struct spool *spool, const void *data, size_t size)
{
	struct extent extent;

	spool_start(spool, &extent);
	ck_assert_int_eq(spool_append(spool, &extent, data, size), 0);
	return extent;
}

/* Apply the patch, and tell what that takes. */
static uint64_t check_patch(const struct extent *old, const struct extent *new, const struct extent *patch,
                            const char *magic)
{
	const struct extent *extents[] = {old, new, patch};
	struct memory_block block;
	struct mapping maps[3];
	struct content content;
	struct reader reader;
	uint64_t memory;

	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(extent_map(extents[i], &maps[i]), 0);
	ck_assert_msg(memcmp(maps[2].data, magic, 8) == 0, "%.8s, not %s", (const char *)maps[2].data, magic);
	expect_patch(&maps[0], &maps[1], &maps[2]);
	block = (struct memory_block){.data = maps[2].data, .size = maps[2].size};
	reader = reader_from_memory(&block);
	content = content_from_reader(&reader);
	ck_assert_int_eq(patch_memory(&content, &memory, NULL), 0);
	for (size_t i = 0; i < 3; i++)
		extent_unmap(&maps[i]);
	return memory;
}

/* A little text that is like nothing before, which a package deflates; and noise, of which bzip2 makes more. */
START_TEST(test_bare)
{
	static const char before[] = "once", after[] = "key=value\nkey=value\nkey=value\nother=value\n";
	static uint8_t noise[PLAIN_SIZE];
	struct extent old, new, patch;
	struct spool versions, spool;
	struct error error = {0};
	uint32_t random = 7;

	ck_assert_int_eq(spool_open(&versions), 0);
	ck_assert_int_eq(spool_open(&spool), 0);
	old = put(&versions, before, strlen(before));
	new = put(&versions, after, strlen(after));
	ck_assert_int_eq(delta_make(&old, &new, &lineage, &spool, &patch, &error), 0);
	(void)check_patch(&old, &new, &patch, "IMGDIFF2");
	for (size_t i = 0; i < sizeof(noise); i++) {
		random ^= random << 13;
		random ^= random >> 17;
		random ^= random << 5;
		noise[i] = (uint8_t)(random >> 12);
	}
	old = put_version(&versions, 1, false);
	new = put(&versions, noise, sizeof(noise));
	ck_assert_int_eq(delta_make(&old, &new, &lineage, &spool, &patch, &error), 0);
	(void)check_patch(&old, &new, &patch, "IMGDIFF2");
	ck_assert_uint_lt(patch.size, sizeof(noise) + 100);
	spool_close(&spool);
	spool_close(&versions);
}
END_TEST

/* Smaller blocks, no patch of what is inflated, in the end no bzip2: the limit is kept as long as anything keeps it. */
START_TEST(test_memory)
{
	static const uint64_t limits[] = {0, 3 << 20, 1 << 20, 1};
	static const char *const magics[][4] = {{"BSDIFF40", "BSDIFF40", "IMGDIFF2", "IMGDIFF2"},
	                                        {"IMGDIFF2", "BSDIFF40", "IMGDIFF2", "IMGDIFF2"}};
	struct extent old, new, patch;
	struct spool versions, spool;
	struct error error = {0};
	uint64_t memory;

	ck_assert_int_eq(spool_open(&versions), 0);
	ck_assert_int_eq(spool_open(&spool), 0);
	for (int gzip = 0; gzip < 2; gzip++) {
		old = put_version(&versions, 1, gzip);
		new = put_version(&versions, 2, gzip);
		for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
			struct delta_options options = {.memory = limits[i]};

			ck_assert_int_eq(delta_make(&old, &new, &options, &spool, &patch, &error), 0);
			memory = check_patch(&old, &new, &patch, magics[gzip][i]);
			if (limits[i] > 1)
				ck_assert_uint_le(memory, limits[i]);
			else
				ck_assert_uint_eq(memory > 1 << 20, limits[i] == 0);
		}
	}
	spool_close(&spool);
	spool_close(&versions);
}
END_TEST

/* In half of the code that follows nothing changed but what calls lead to; and this project's format takes less memory.
 */
START_TEST(test_native)
{
	static const struct delta_options native = {.native = true}, bounded = {.native = true, .memory = 1 << 20};
	struct program before = {.address = 0x10000}, after = {.address = 0x10000, .grown = 20, .more = 3};
	struct extent old, new, patch;
	struct spool versions, spool;
	struct error error = {0};
	uint64_t size;

	ck_assert_int_eq(spool_open(&versions), 0);
	ck_assert_int_eq(spool_open(&spool), 0);
	program_build(&before, true);
	program_build(&after, true);
	old = put(&versions, before.bytes.data, before.bytes.size);
	new = put(&versions, after.bytes.data, after.bytes.size);
	ck_assert_int_eq(delta_make(&old, &new, &lineage, &spool, &patch, &error), 0);
	(void)check_patch(&old, &new, &patch, "BSDIFF40");
	size = patch.size;
	ck_assert_int_eq(delta_make(&old, &new, &native, &spool, &patch, &error), 0);
	(void)check_patch(&old, &new, &patch, "FOTADLT1");
	ck_assert_uint_lt(2 * patch.size, size);
	ck_assert_int_eq(delta_make(&old, &new, &bounded, &spool, &patch, &error), 0);
	ck_assert_uint_le(check_patch(&old, &new, &patch, "FOTADLT1"), bounded.memory);
	/* What both inflate to, as long as memory does not matter. */
	old = put_version(&versions, 1, true);
	new = put_version(&versions, 2, true);
	ck_assert_int_eq(delta_make(&old, &new, &native, &spool, &patch, &error), 0);
	(void)check_patch(&old, &new, &patch, "IMGDIFF2");
	ck_assert_uint_lt(patch.size, 1000);
	ck_assert_int_eq(delta_make(&old, &new, &bounded, &spool, &patch, &error), 0);
	ck_assert_uint_le(check_patch(&old, &new, &patch, "FOTADLT1"), bounded.memory);
	bytes_free(&before.bytes);
	bytes_free(&after.bytes);
	spool_close(&spool);
	spool_close(&versions);
}
END_TEST

TCase *delta_tests(void)
{
	TCase *tests = tcase_create("delta");

	tcase_set_timeout(tests, 60);

	tcase_add_test(tests, test_formats);
	tcase_add_test(tests, test_bare);
	tcase_add_test(tests, test_memory);
	tcase_add_test(tests, test_native);
	return tests;
}
