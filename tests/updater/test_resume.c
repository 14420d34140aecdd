/* SPDX-License-Identifier: Apache-2.0 */
/* Resumed runs: what they read again, what makes them read, and that they end as any other run. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES     40
#define FILE_SIZE 150000
#define PART_SIZE 700000

static struct world w;
static struct versions v;    /* of every file */
static struct versions part; /* of the partition */
static char script[65536];
static char part_name[512];

static void setup_sizes(size_t file_size, size_t part_size)
{
	world_start(&w);
	versions_make(&v, file_size, file_size, 7);
	versions_make(&part, part_size, part_size, 8);
	world_add(&w, "p", v.patch, v.patch_size, 0100644);
	world_add(&w, "part.p", part.patch, part.patch_size, 0100644);
	world_add(&w, "system/verbatim", v.new_data, v.new_size, 0100644);
	(void)snprintf(part_name, sizeof(part_name), "MTD:part:%zu:%s:%zu:%s", part.old_size, part.old_sha1,
	               part.new_size, part.new_sha1);
	world_put(&w, "/dev/part", part.old_data, part.old_size);
	world_put(&w, "/system/app", v.old_data, v.old_size);
}

static void setup(void)
{
	setup_sizes(5000, 20000);
}

static void teardown(void)
{
	versions_free(&v);
	versions_free(&part);
	world_end(&w);
}

static size_t add_check(size_t used, const char *object, const struct versions *versions)
{
	return used + (size_t)snprintf(script + used, sizeof(script) - used,
	                               "assert(apply_patch_check(\"%s\",%s,%s));\n", object, versions->new_sha1,
	                               versions->old_sha1);
}

static size_t add_patch(size_t used, const char *object, const struct versions *versions, const char *patch)
{
	return used + (size_t)snprintf(script + used, sizeof(script) - used,
	                               "apply_patch(\"%s\",\"-\",%s,%zu,%s,package_extract_file(\"%s\"));\n", object,
	                               versions->new_sha1, versions->new_size, versions->old_sha1, patch);
}

/* ---- How little is read ---- */

static const char *file_name(unsigned i, char name[64])
{
	(void)snprintf(name, 64, "/system/lib/file%u", i);
	return name;
}

/* All checks, then all changes, as generators write it; the partition in between. */
static void make_large_script(void)
{
	char name[64];
	size_t used = 0;

	for (unsigned i = 0; i < FILES; i++)
		used = add_check(used, file_name(i, name), &v);
	used = add_check(used, part_name, &part);
	for (unsigned i = 0; i < FILES; i++) {
		used = add_patch(used, file_name(i, name), &v, "p");
		used += (size_t)snprintf(script + used, sizeof(script) - used, "set_progress(%f);\n", i / 40.0);
		if (i == 10)
			used = add_patch(used, part_name, &part, "part.p");
		if (i == 20)
			used += (size_t)snprintf(script + used, sizeof(script) - used,
			                         "package_extract_dir(\"system\",\"/system\");\n");
	}
}

static void put_large(void)
{
	char name[64];

	for (unsigned i = 0; i < FILES; i++)
		world_put(&w, file_name(i, name), v.old_data, v.old_size);
	world_put(&w, "/dev/part", part.old_data, part.old_size);
}

static bool is_new(const char *path, const struct versions *versions)
{
	size_t size;
	char *found = world_get(&w, path, &size);
	bool same = found && size == versions->new_size && memcmp(found, versions->new_data, size) == 0;

	free(found);
	return same;
}

struct finished {
	char path[64];
	size_t size;
};

static unsigned list_finished(struct finished list[FILES + 2])
{
	struct finished *at = list;

	for (unsigned i = 0; i < FILES; i++)
		if (is_new(file_name(i, at->path), &v))
			(at++)->size = v.new_size;
	if (is_new("/dev/part", &part))
		*at++ = (struct finished){.path = "/dev/part", .size = part.new_size};
	if (is_new("/system/verbatim", &v))
		*at++ = (struct finished){.path = "/system/verbatim", .size = v.new_size};
	return (unsigned)(at - list);
}

/* Returns bytes read of the objects that were finished when the run began, and their size in *size. */
static uint64_t resume_after_cut(unsigned cut, bool with_journal, uint64_t *size)
{
	struct finished list[FILES + 2];
	unsigned count;
	uint64_t read = 0;

	put_large();
	w.runs = 0;
	w.cut_at = cut;
	ck_assert_int_eq(world_run(&w, script), UPDATER_ABORT);
	w.cut_at = 0;
	count = list_finished(list);
	if (!with_journal)
		ck_assert_int_eq(storage_remove(w.storage, UPDATER_JOURNAL, NULL), 0);
	world_succeeds(&w, script);
	ck_assert_uint_eq(list_finished((struct finished[FILES + 2]){0}), FILES + 2);
	*size = 0;
	for (unsigned i = 0; i < count; i++)
		*size += list[i].size;
	for (unsigned i = 0; i < count; i++)
		read += world_bytes_read(&w, list[i].path);
	return read;
}

START_TEST(test_little_is_read_again)
{
	char told[sizeof(w.told)];
	uint64_t read, size;
	unsigned total;

	teardown();
	setup_sizes(FILE_SIZE, PART_SIZE);
	make_large_script();
	put_large();
	world_succeeds(&w, script);
	total = w.steps;
	memcpy(told, w.told, sizeof(told));
	ck_assert_ptr_nonnull(strstr(told, "set_progress 0.975"));
	for (unsigned part_done = 6; part_done <= 9; part_done++) {
		read = resume_after_cut(total * part_done / 10, true, &size);
		ck_assert_str_eq(told, w.told);
		ck_assert_uint_gt(size, FILES / 2 * FILE_SIZE);
		ck_assert_msg(read * 10 < size, "%llu of %llu bytes", (unsigned long long)read,
		              (unsigned long long)size);
	}
	/* Now that it is all recorded, nothing but the partition's samples is read. */
	world_succeeds(&w, script);
	ck_assert_str_eq(told, w.told);
	ck_assert_uint_eq(world_bytes_read(&w, "/system/lib/file0"), 0);
	ck_assert_uint_eq(world_bytes_read(&w, "/system/lib/file39"), 0);
	ck_assert_uint_eq(world_bytes_read(&w, "/system/verbatim"), 0);
	ck_assert_uint_lt(world_bytes_read(&w, "/dev/part"), PART_SIZE / 10);
	/* Without the journal all of it is, so that the counter counts. */
	read = resume_after_cut(total * 9 / 10, false, &size);
	ck_assert_str_eq(told, w.told);
	ck_assert_uint_ge(read, size);
}
END_TEST

/* What a resumed run found finished by reading it is not read by the next. */
START_TEST(test_found_is_recorded)
{
	size_t used = add_patch(0, "/system/app", &v, "p");

	used = add_patch(used, part_name, &part, "part.p");
	(void)snprintf(
		script + used, sizeof(script) - used,
		"package_extract_file(\"p\",\"/system/p\"); write_raw_image(package_extract_file(\"p\"),\"raw\");");
	world_put(&w, "/dev/raw", part.old_data, part.old_size);
	world_succeeds(&w, script);
	ck_assert_int_eq(storage_remove(w.storage, UPDATER_JOURNAL, NULL), 0);
	world_succeeds(&w, script); /* its journal begins where the first object is there already */
	world_succeeds(&w, script);
	ck_assert_ptr_null(strstr(w.log, ": now "));
	world_succeeds(&w, script);
	ck_assert_uint_eq(world_bytes_read(&w, "/system/app"), 0);
	ck_assert_uint_eq(world_bytes_read(&w, "/system/p"), 0);
	ck_assert_uint_eq(world_bytes_read(&w, "/dev/part"), 2 * 4096);
	ck_assert_uint_lt(world_bytes_read(&w, "/dev/raw"), v.patch_size + 1);
	ck_assert_ptr_nonnull(strstr(w.log, "says the journal"));
}
END_TEST

/* ---- What makes it read ---- */

START_TEST(test_attributes_do_not_matter)
{
	size_t used = add_patch(0, "/system/app", &v, "p");

	(void)snprintf(script + used, sizeof(script) - used,
	               "set_perm(%u,%u,04750,\"/system/app\");\n"
	               "set_metadata(\"/system/app\",\"uid\",%u,\"mode\",0700);\n",
	               geteuid(), getegid(), geteuid());
	world_succeeds(&w, script);
	world_succeeds(&w, script);
	ck_assert_uint_eq(world_bytes_read(&w, "/system/app"), 0);
	world_expect(&w, "/system/app", v.new_data, v.new_size);
}
END_TEST

START_TEST(test_changed_since)
{
	size_t used = add_check(0, "/system/app", &v);

	used = add_check(used, part_name, &part);
	used = add_patch(used, "/system/app", &v, "p");
	(void)add_patch(used, part_name, &part, "part.p");
	world_succeeds(&w, script);
	world_put(&w, "/system/app", v.old_data, v.old_size);
	world_succeeds(&w, script);
	world_expect(&w, "/system/app", v.new_data, v.new_size);
	world_put(&w, "/dev/part", part.old_data, part.old_size);
	world_succeeds(&w, script);
	world_expect(&w, "/dev/part", part.new_data, part.new_size);
	ck_assert_int_eq(storage_remove(w.storage, "/system/app", NULL), 0);
	world_aborts(&w, script, "/system/app");
}
END_TEST

/* An object that the script gives two contents, one after the other, ends with the second, wherever power goes. */
START_TEST(test_two_contents)
{
	size_t used = (size_t)snprintf(script, sizeof(script),
	                               "package_extract_file(\"part.p\",\"/system/app\");\n"
	                               "package_extract_file(\"p\",\"/system/app\");\n"
	                               "write_raw_image(package_extract_file(\"old\"),\"part\");\n");
	unsigned total = 1000;

	world_add(&w, "old", part.old_data, part.old_size, 0100644);
	(void)add_patch(used, part_name, &part, "part.p");
	for (unsigned cut = 0; cut <= total; cut++) {
		w.runs = 0;
		w.cut_at = cut;
		(void)world_run(&w, script);
		if (cut == 0)
			total = w.steps;
		w.cut_at = 1 + cut * 7 % 31;
		(void)world_run(&w, script);
		w.cut_at = 0;
		world_succeeds(&w, script);
		world_expect(&w, "/system/app", v.patch, v.patch_size);
		world_expect(&w, "/dev/part", part.new_data, part.new_size);
	}
}
END_TEST

/* Two contents of a partition that differ where no sample looks: v leads from the first to the second, part back. */
static void setup_unseen(size_t size)
{
	struct versions noise;

	teardown();
	world_start(&w);
	versions_make(&noise, size, size, 5);
	memcpy(noise.new_data, noise.old_data, size);
	noise.new_data[70000] ^= 1;
	versions_between(&v, noise.old_data, size, noise.new_data, size);
	versions_between(&part, noise.new_data, size, noise.old_data, size);
	versions_free(&noise);
	world_add(&w, "old", v.old_data, size, 0100644);
	world_add(&w, "p", v.patch, v.patch_size, 0100644);
	world_add(&w, "back.p", part.patch, part.patch_size, 0100644);
}

/*
 * The partition has its second content on record, and while it is given the first one again, by an image or by a patch,
 * power goes. What is on record must not count any more.
 */
START_TEST(test_half_old_partition)
{
	unsigned cut = 0;
	unsigned steps;
	size_t used;

	setup_unseen(200000);
	used = (size_t)snprintf(script, sizeof(script), "file_getprop(\"/system/build.prop\",\"a\") == \"b\" && ");
	if (_i == 0)
		used += (size_t)snprintf(script + used, sizeof(script) - used,
		                         "write_raw_image(package_extract_file(\"old\"),\"part\");\n");
	else
		used = add_patch(used, "MTD:part", &part, "back.p");
	(void)add_patch(used, "MTD:part", &v, "p");
	do {
		(void)storage_remove(w.storage, UPDATER_BACKUP, NULL); /* there need not be one */
		w.runs = 0;
		world_put(&w, "/dev/part", v.old_data, v.old_size);
		world_put_text(&w, "/system/build.prop", "a=a");
		world_succeeds(&w, script);
		world_put_text(&w, "/system/build.prop", "a=b");
		w.cut_at = ++cut;
		(void)world_run(&w, script);
		steps = w.steps;
		w.cut_at = 0;
		world_put_text(&w, "/system/build.prop", "a=a");
		world_succeeds(&w, script);
		world_expect(&w, "/dev/part", v.new_data, v.new_size);
	} while (steps >= cut);
	ck_assert_uint_gt(cut, 10);
}
END_TEST

/* A program may write anywhere, and a format leaves nothing to vouch for. */
START_TEST(test_format_and_program)
{
	static const char *const changes[] = {"format(\"ubifs\",\"UBI\",\"part\",\"0\")", "run_program(\"/bin/true\")",
	                                      "wipe_block_device(\"/dev/part\",1)"};

	w.unconfined = true;
	for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		size_t used = add_patch(0, part_name, &part, "part.p");

		(void)snprintf(script + used, sizeof(script) - used,
		               "file_getprop(\"/system/build.prop\",\"a\") == \"b\" && %s;\n", changes[i]);
		world_put(&w, "/dev/part", part.old_data, part.old_size);
		world_put_text(&w, "/system/build.prop", "a=a");
		world_succeeds(&w, script);
		world_put_text(&w, "/system/build.prop", "a=b");
		world_succeeds(&w, script);
		world_put(&w, "/dev/part", part.new_data, part.new_size); /* as if the samples were right by chance */
		world_put_text(&w, "/system/build.prop", "a=a");
		world_succeeds(&w, script);
		ck_assert_uint_ge(world_bytes_read(&w, "/dev/part"), part.new_size);
		world_succeeds(&w, script);
		ck_assert_uint_lt(world_bytes_read(&w, "/dev/part"), part.new_size);
	}
}
END_TEST

/* ---- When there is a journal ---- */

START_TEST(test_fresh_run_and_other_package)
{
	(void)add_patch(0, "/system/app", &v, "p");
	world_succeeds(&w, script);
	world_succeeds(&w, script);
	ck_assert_uint_eq(world_bytes_read(&w, "/system/app"), 0);
	w.runs = 0;
	world_succeeds(&w, script);
	ck_assert_uint_eq(world_bytes_read(&w, "/system/app"), v.new_size);
	ck_assert(!world_exists(&w, UPDATER_JOURNAL)); /* nothing was changed */
	world_put(&w, "/system/app", v.old_data, v.old_size);
	world_succeeds(&w, script);
	world_add_text(&w, "other", "another package");
	world_succeeds(&w, script);
	ck_assert_uint_eq(world_bytes_read(&w, "/system/app"), v.new_size);
}
END_TEST

START_TEST(test_dry_run_leaves_it_alone)
{
	char *before, *after;
	size_t size;

	(void)add_patch(0, "/system/app", &v, "p");
	w.dry_run = true;
	world_succeeds(&w, script);
	ck_assert(!world_exists(&w, UPDATER_JOURNAL));
	w.dry_run = false;
	world_succeeds(&w, script);
	before = world_get(&w, UPDATER_JOURNAL, &size);
	ck_assert_ptr_nonnull(before);
	for (unsigned runs = 0; runs < 2; runs++) {
		w.runs = runs;
		w.dry_run = true;
		world_succeeds(&w, script);
		after = world_get(&w, UPDATER_JOURNAL, &size);
		ck_assert_str_eq(before, after);
		free(after);
		ck_assert_uint_eq(world_bytes_read(&w, UPDATER_JOURNAL), 0);
		ck_assert_uint_eq(world_bytes_read(&w, "/system/app"), v.new_size);
	}
	free(before);
}
END_TEST

/* "No journal" says "nothing was changed": recovery draws conclusions from that. */
START_TEST(test_journal_before_first_change)
{
	static const char *const changes[] = {
		"delete(\"/system/app\")",
		"delete_recursive(\"/system/tree\")",
		"rename(\"/system/app\",\"/system/moved\")",
		"symlink(\"app\",\"/system/link\")",
		"set_perm(0,0,0700,\"/system/app\")",
		"set_metadata_recursive(\"/system\",\"fmode\",0600)",
		"package_extract_dir(\"system\",\"/system\")",
		"package_extract_file(\"p\",\"/system/app\")",
		"write_raw_image(package_extract_file(\"p\"),\"part\")",
		"wipe_block_device(\"/dev/part\",4096)",
		"format(\"ubifs\",\"UBI\",\"part\",\"0\")",
		"run_program(\"/bin/sh\",\"-c\",\"exit 0\")",
		NULL, /* apply_patch */
	};
	char *before, *after;

	w.unconfined = true;
	world_put_text(&w, "/system/tree/file", "x");
	world_put_text(&w, "/cache/recovery/log", "x");
	if (changes[_i])
		(void)snprintf(script, sizeof(script), "%s;", changes[_i]);
	else
		(void)add_patch(0, "/system/app", &v, "p");
	before = world_snapshot(&w);
	for (w.cut_at = 1; !world_exists(&w, UPDATER_JOURNAL); w.cut_at++) {
		w.runs = 0;
		ck_assert_uint_lt(w.cut_at, 20);
		(void)world_run(&w, script);
		if (world_exists(&w, UPDATER_JOURNAL))
			break;
		after = world_snapshot(&w);
		ck_assert_str_eq(before, after);
		free(after);
	}
	free(before);
}
END_TEST

/* A full /cache costs the record, once told, and nothing else. */
START_TEST(test_no_room)
{
	static const char told[] = "what is finished is not recorded any more";
	const char *first;
	size_t used = add_patch(0, "/system/app", &v, "p");

	used = add_patch(used, part_name, &part, "part.p");
	(void)snprintf(script + used, sizeof(script) - used, "package_extract_dir(\"system\",\"/system\")");
	w.full_journal = true;
	world_succeeds(&w, script);
	first = strstr(w.log, told);
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, told));
	world_expect(&w, "/system/app", v.new_data, v.new_size);
	world_expect(&w, "/dev/part", part.new_data, part.new_size);
	ck_assert(!world_exists(&w, UPDATER_JOURNAL));
}
END_TEST

Suite *suite_resume(void)
{
	Suite *suite = suite_create("resume");
	TCase *tc = tcase_create("resume");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_little_is_read_again);
	tcase_add_test(tc, test_found_is_recorded);
	tcase_add_test(tc, test_attributes_do_not_matter);
	tcase_add_test(tc, test_changed_since);
	tcase_add_test(tc, test_two_contents);
	tcase_add_loop_test(tc, test_half_old_partition, 0, 2);
	tcase_add_test(tc, test_format_and_program);
	tcase_add_test(tc, test_fresh_run_and_other_package);
	tcase_add_test(tc, test_dry_run_leaves_it_alone);
	tcase_add_loop_test(tc, test_journal_before_first_change, 0, 13);
	tcase_add_test(tc, test_no_room);
	suite_add_tcase(suite, tc);
	return suite;
}
