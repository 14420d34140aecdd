/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions and volumes that a patch changes where they lie. The files that stand for them have no atomic units, so
 * that every change goes through the journal of one unit. */
#include "world.h"

#include "patch/patch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define UNIT      ((size_t)4096)
#define OLD_SIZE  40000u
#define NEW_SIZE  45000u
#define PART_SIZE 65536u
#define UNITS     11u /* of the new content; the first is the same in both */

static struct world w;
static struct versions v; /* the patch is the one in place */
static char script[2048];
static char object[512]; /* the volume with its content pairs */

/* Something is inserted in the second unit, so that what follows moves, and every 500th byte differs. */
static void make_versions(void)
{
	uint8_t old_data[OLD_SIZE];
	uint8_t new_data[NEW_SIZE];
	uint32_t state = 5;

	for (size_t i = 0; i < NEW_SIZE; i++) {
		state = state * 1664525u + 1013904223u;
		new_data[i] = (uint8_t)(state >> 24);
	}
	memcpy(old_data, new_data, 6000);
	memcpy(old_data + 6000, new_data + 11000, OLD_SIZE - 6000);
	for (size_t i = UNIT; i < OLD_SIZE; i += 500)
		old_data[i] ^= 1;
	versions_between(&v, old_data, OLD_SIZE, new_data, NEW_SIZE);
	versions_make_in_place(&v, UNIT);
}

static void put_volume(const void *data, size_t size)
{
	char image[PART_SIZE];

	memset(image, 0xFF, sizeof(image));
	memcpy(image, data, size);
	world_put(&w, "/dev/part", image, sizeof(image));
}

static void setup(void)
{
	world_start(&w);
	make_versions();
	world_add(&w, "p", v.patch, v.patch_size, 0100644);
	(void)snprintf(object, sizeof(object), "UBI:part:%zu:%s:%zu:%s", v.old_size, v.old_sha1, v.new_size,
	               v.new_sha1);
	put_volume(v.old_data, v.old_size);
}

static void teardown(void)
{
	versions_free(&v);
	world_end(&w);
}

/* Another patch as the package's entry "p". */
static void replace_patch(const void *data, size_t size)
{
	free(w.entries[--w.entry_count].data);
	world_add(&w, "p", data, size, 0100644);
}

/* Change a byte of what stands for the volume. */
static void flip(size_t offset)
{
	size_t size;
	char *image = world_get(&w, "/dev/part", &size);

	image[offset] ^= 1;
	world_put(&w, "/dev/part", image, size);
	free(image);
}

/* Write the first units of the patch, as a run that was interrupted behind them. */
static void write_units(unsigned count)
{
	size_t size;
	char *image = world_get(&w, "/dev/part", &size);
	struct memory_block block = {.data = image, .size = size};
	struct memory_block patch_block = {.data = v.patch, .size = v.patch_size};
	struct reader io = reader_from_memory(&block);
	struct reader patch_io = reader_from_memory(&patch_block);
	struct content patch = content_from_reader(&patch_io);
	struct patch_units_info info;
	struct patch_units *units;
	uint8_t unit[UNIT];
	uint64_t number;

	ck_assert_int_eq(patch_units_open(&patch, &units, &info, NULL), 0);
	while (count-- > 0) {
		ck_assert_int_eq(patch_units_next(units, NULL, &number, NULL), 1);
		ck_assert_int_eq(patch_units_make(units, &io, NULL, unit, &size, NULL), 0);
		memcpy(image + number * UNIT, unit, size);
	}
	patch_units_close(units);
	world_put(&w, "/dev/part", image, PART_SIZE);
	free(image);
}

/* Units that are new and not old as well; each must be one of the two. */
static unsigned count_new(void)
{
	size_t found_size;
	char *image = world_get(&w, "/dev/part", &found_size);
	unsigned count = 0;

	ck_assert_uint_eq(found_size, PART_SIZE);
	for (size_t start = 0; start < NEW_SIZE; start += UNIT) {
		size_t new_left = NEW_SIZE - start < UNIT ? NEW_SIZE - start : UNIT;
		size_t old_left = start >= OLD_SIZE ? 0 : OLD_SIZE - start < UNIT ? OLD_SIZE - start : UNIT;
		bool is_old = memcmp(image + start, v.old_data + start, old_left) == 0;
		bool is_new = memcmp(image + start, v.new_data + start, new_left) == 0;

		ck_assert_msg(is_old || is_new, "unit at %zu", start);
		count += is_new && (!is_old || old_left < new_left);
	}
	free(image);
	return count;
}

static void expect_done(void)
{
	ck_assert_uint_eq(count_new(), UNITS - 1);
	ck_assert(!world_exists(&w, UPDATER_UNIT));
	ck_assert(!world_exists(&w, UPDATER_BACKUP));
	ck_assert_uint_eq(w.renamed_backups, 0);
}

static const char *patch_script(void)
{
	return versions_script(&v, object, script);
}

static const char *check_script(const char *more)
{
	(void)snprintf(script, sizeof(script), "assert(apply_patch_check(\"UBI:part:%zu:%s\", %s%s));", v.old_size,
	               v.old_sha1, v.new_sha1, more);
	return script;
}

START_TEST(test_from_the_source)
{
	world_succeeds(&w, patch_script());
	expect_done();
	ck_assert_ptr_nonnull(strstr(w.log, "UBI:part: in place, 10 units of 4096 bytes to write, 0 written before"));
	ck_assert_ptr_nonnull(strstr(w.log, "UBI:part: now "));
	world_succeeds(&w, patch_script());
	ck_assert_ptr_nonnull(strstr(w.log, "says the journal"));
	expect_done();
}
END_TEST

START_TEST(test_from_part_way)
{
	char line[128];

	for (unsigned count = 1; count < UNITS - 1; count++) {
		put_volume(v.old_data, v.old_size);
		write_units(count);
		w.runs = 0;
		world_succeeds(&w, patch_script());
		expect_done();
		(void)snprintf(line, sizeof(line), "%u units of 4096 bytes to write, %u written before",
		               UNITS - 1 - count, count);
		ck_assert_ptr_nonnull(strstr(w.log, line));
	}
}
END_TEST

/* Units that are new in another order than the patch's: what they were is needed, and gone. */
START_TEST(test_impossible_order)
{
	unsigned refused = 0;
	char *image;
	size_t size;

	for (size_t number = 1; number < UNITS - 1; number++) {
		put_volume(v.old_data, v.old_size);
		image = world_get(&w, "/dev/part", &size);
		memcpy(image + number * UNIT, v.new_data + number * UNIT, UNIT);
		world_put(&w, "/dev/part", image, size);
		free(image);
		w.runs = 0;
		if (world_run(&w, patch_script()) != UPDATER_OK) {
			ck_assert_int_eq(w.error.code, RESULT_VERIFY);
			refused++;
		}
		(void)count_new(); /* whatever came of it, each is one of the two */
	}
	ck_assert_uint_ge(refused, 1);
}
END_TEST

START_TEST(test_target_there)
{
	put_volume(v.new_data, v.new_size);
	world_succeeds(&w, patch_script());
	ck_assert_ptr_nonnull(strstr(w.log, "UBI:part: already "));
	expect_done();
}
END_TEST

START_TEST(test_every_cut)
{
	ck_assert_uint_gt(world_run_with_cuts(&w, patch_script()), 10);
	expect_done();
}
END_TEST

/* Every part-way state that there can be: the module stops for good, and another run goes on. */
START_TEST(test_part_way_is_told)
{
	unsigned before = 0;
	bool part_way = false;

	for (unsigned cut = 1;; cut++) {
		put_volume(v.old_data, v.old_size);
		w.cut_at = cut;
		w.runs = 0;
		if (world_run(&w, patch_script()) == UPDATER_OK)
			break;
		w.cut_at = 0;
		/* The check finishes the unit that was being written. */
		world_succeeds(&w, check_script(", package_extract_file(\"p\")"));
		/* The last unit is behind the old content, which is whole without it. */
		part_way = count_new() > 1 && count_new() < UNITS - 1;
		if (part_way && count_new() != before) {
			world_aborts(&w, check_script(""), "UBI:part: expected ");
			before = count_new();
		}
	}
	ck_assert_uint_eq(before, UNITS - 2);
	w.cut_at = 0;
	expect_done();
}
END_TEST

START_TEST(test_foreign_unit)
{
	char *before, *after;

	flip(7 * UNIT + 5);
	before = world_snapshot(&w);
	world_aborts(&w, patch_script(), "UBI:part: LEB 7 (of 4096 bytes) is neither what it was nor what it shall be");
	ck_assert_int_eq(w.error.code, RESULT_VERIFY);
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	world_aborts(&w, check_script(", package_extract_file(\"p\")"), "UBI:part: LEB 7 ");
	free(before);
	free(after);
}
END_TEST

START_TEST(test_dry_run)
{
	char *before, *after;

	w.dry_run = true;
	before = world_snapshot(&w);
	world_succeeds(&w, patch_script());
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	flip(9 * UNIT);
	world_aborts(&w, patch_script(), "1 mismatches, the first: UBI:part: LEB 9 ");
}
END_TEST

START_TEST(test_no_room_for_the_unit)
{
	char *before, *after;

	w.free_cache = 2 * UNIT;
	before = world_snapshot(&w);
	world_aborts(&w, patch_script(), "UBI:part: not enough free space on /cache: need ");
	ck_assert_int_eq(w.error.code, RESULT_SPACE);
	/* Its check says so, too, before anything else is changed; unless nothing needs to be. */
	world_aborts(&w, check_script(", package_extract_file(\"p\")"), "UBI:part: not enough free space on /cache: ");
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	put_volume(v.new_data, v.new_size);
	world_succeeds(&w, check_script(", package_extract_file(\"p\")"));
	put_volume(v.old_data, v.old_size);
	free(before);
	free(after);
	w.free_cache = 3 * UNIT;
	world_succeeds(&w, patch_script());
	expect_done();
}
END_TEST

START_TEST(test_statement_of_another_target)
{
	v.new_size--;
	world_aborts(&w, patch_script(), "UBI:part: the patch makes 45000 bytes, not 44999");
	ck_assert_uint_eq(count_new(), 0);
	v.new_size++;
	(void)memset(v.new_sha1, '1', 40);
	world_aborts(&w, patch_script(), "UBI:part: expected 1111111111111111111111111111111111111111, found ");
	ck_assert_int_eq(w.error.code, RESULT_VERIFY);
	ck_assert_uint_eq(count_new(), UNITS - 1);
}
END_TEST

/* Each unit is old or new, and the whole patch finishes what the broken one began. */
START_TEST(test_broken_patch)
{
	const size_t whole = v.patch_size;

	for (size_t size = whole - 1; size > 0; size = size * 7 / 8) {
		put_volume(v.old_data, v.old_size);
		replace_patch(v.patch, size);
		ck_assert_int_eq(world_run(&w, patch_script()), UPDATER_ABORT);
		ck_assert_int_eq(w.error.code, RESULT_VERIFY);
		(void)count_new();
		replace_patch(v.patch, whole);
		world_succeeds(&w, patch_script());
		expect_done();
	}
}
END_TEST

/* A patch of another kind beside it still serves what this one does not know. */
START_TEST(test_beside_another_patch)
{
	struct versions other;

	put_volume(v.new_data, OLD_SIZE - 1);
	versions_between(&other, v.new_data, OLD_SIZE - 1, v.new_data, v.new_size);
	world_add(&w, "q", other.patch, other.patch_size, 0100644);
	(void)snprintf(script, sizeof(script),
	               "apply_patch(\"UBI:part:%zu:%s:%zu:%s\", \"-\", %s, %zu, %s, package_extract_file(\"p\"), %s, "
	               "package_extract_file(\"q\"));",
	               other.old_size, other.old_sha1, v.new_size, v.new_sha1, v.new_sha1, v.new_size, v.old_sha1,
	               other.old_sha1);
	world_succeeds(&w, script);
	ck_assert_uint_eq(w.renamed_backups, 1);
	ck_assert_uint_eq(count_new(), UNITS - 1);
	versions_free(&other);
}
END_TEST

/* What is behind a shorter target is in no unit of the patch's, and yet needed. */
START_TEST(test_shorter_target)
{
	struct versions back;
	size_t size;
	char *image;

	versions_between(&back, v.new_data, v.new_size, v.old_data, v.old_size);
	versions_make_in_place(&back, UNIT);
	replace_patch(back.patch, back.patch_size);
	put_volume(back.old_data, back.old_size);
	flip(NEW_SIZE - 1);
	world_aborts(&w, versions_script(&back, "UBI:part", script), "UBI:part: expected ");
	flip(NEW_SIZE - 1);
	world_succeeds(&w, versions_script(&back, "UBI:part", script));
	image = world_get(&w, "/dev/part", &size);
	ck_assert_mem_eq(image, v.old_data, OLD_SIZE);
	free(image);
	versions_free(&back);
}
END_TEST

/* ---- Compressed parts over the borders of units ---- */

#define PARTS      9u
#define PLAIN_SIZE 6000u

/* zlib streams, one behind the other; in each a byte differs from the other version's. Returns their size. */
static size_t put_parts(uint8_t *image, char differing)
{
	uint8_t plain[PLAIN_SIZE];
	uint32_t state = 3;
	size_t used = 0;

	for (unsigned part = 0; part < PARTS; part++) {
		uLongf size = (uLongf)(PART_SIZE - used);

		for (size_t i = 0; i < sizeof(plain); i++) {
			state = state * 1664525u + 1013904223u;
			plain[i] = (uint8_t) "0123456789abcdef"[state >> 28];
		}
		plain[sizeof(plain) / 2] = (uint8_t)differing;
		ck_assert_int_eq(compress2(image + used, &size, plain, sizeof(plain), 9), Z_OK);
		used += size;
	}
	return used;
}

static void setup_parts(void)
{
	static uint8_t old_image[PART_SIZE], new_image[PART_SIZE];
	size_t old_size = put_parts(old_image, 'x');
	size_t new_size = put_parts(new_image, 'y');

	setup();
	versions_free(&v);
	versions_between(&v, old_image, old_size, new_image, new_size);
	versions_make_in_place(&v, UNIT);
	replace_patch(v.patch, v.patch_size);
	(void)snprintf(object, sizeof(object), "UBI:part:%zu:%s:%zu:%s", v.old_size, v.old_sha1, v.new_size,
	               v.new_sha1);
	put_volume(v.old_data, v.old_size);
}

/* Bytes that units have kept for others. */
static uint64_t count_kept(void)
{
	uint64_t bytes = 0;

	for (unsigned border = 0; border <= PART_SIZE / UNIT; border++) {
		char path[64];
		size_t size;

		(void)snprintf(path, sizeof(path), UPDATER_SHARE ".%u", border);
		if (!world_exists(&w, path))
			continue;
		free(world_get(&w, path, &size));
		bytes += size;
	}
	return bytes;
}

/* The least room with which the check passes. */
static uint64_t find_need(void)
{
	uint64_t need = UNIT;

	do
		w.free_cache = need += 64;
	while (world_run(&w, check_script(", package_extract_file(\"p\")")) != UPDATER_OK);
	return need;
}

/* With as much room as the first run needs each that goes on comes to its end, and nothing is left then. */
START_TEST(test_kept_shares_take_their_room_once)
{
	uint64_t need = find_need();
	unsigned with_shares = 0;
	char *image;
	size_t size;

	for (unsigned cut = 1;; cut++) {
		put_volume(v.old_data, v.old_size);
		w.free_cache = need;
		w.cut_at = cut;
		w.runs = 0;
		if (world_run(&w, patch_script()) == UPDATER_OK)
			break;
		w.cut_at = 0;
		with_shares += count_kept() > 0;
		w.free_cache = need - count_kept();
		world_succeeds(&w, check_script(", package_extract_file(\"p\")"));
		world_succeeds(&w, patch_script());
		ck_assert_uint_eq(count_kept(), 0);
		image = world_get(&w, "/dev/part", &size);
		ck_assert_mem_eq(image, v.new_data, v.new_size);
		free(image);
	}
	ck_assert_uint_gt(with_shares, 2);
}
END_TEST

Suite *suite_in_place(void)
{
	Suite *suite = suite_create("in place");
	TCase *tests = tcase_create("in place");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, test_from_the_source);
	tcase_add_test(tests, test_from_part_way);
	tcase_add_test(tests, test_impossible_order);
	tcase_add_test(tests, test_target_there);
	tcase_add_test(tests, test_every_cut);
	tcase_add_test(tests, test_part_way_is_told);
	tcase_add_test(tests, test_foreign_unit);
	tcase_add_test(tests, test_dry_run);
	tcase_add_test(tests, test_no_room_for_the_unit);
	tcase_add_test(tests, test_statement_of_another_target);
	tcase_add_test(tests, test_broken_patch);
	tcase_add_test(tests, test_beside_another_patch);
	tcase_add_test(tests, test_shorter_target);
	suite_add_tcase(suite, tests);
	tests = tcase_create("in place between views");
	tcase_add_checked_fixture(tests, setup_parts, teardown);
	tcase_set_timeout(tests, 300);
	tcase_add_test(tests, test_kept_shares_take_their_room_once);
	suite_add_tcase(suite, tests);
	return suite;
}
