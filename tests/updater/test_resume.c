/* SPDX-License-Identifier: Apache-2.0 */
/* Resumed runs: how little they read again, and when there is a journal. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	versions_name_partition(&part, part_name);
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
		used = versions_add_check(&v, file_name(i, name), script, sizeof(script), used);
	used = versions_add_check(&part, part_name, script, sizeof(script), used);
	for (unsigned i = 0; i < FILES; i++) {
		used = versions_add_patch(&v, file_name(i, name), "p", script, sizeof(script), used);
		used += (size_t)snprintf(script + used, sizeof(script) - used, "set_progress(%f);\n", i / 40.0);
		if (i == 10)
			used = versions_add_patch(&part, part_name, "part.p", script, sizeof(script), used);
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
		ck_assert_uint_gt(size, (uint64_t)FILES / 2 * FILE_SIZE);
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
	size_t used = versions_add_patch(&v, "/system/app", "p", script, sizeof(script), 0);

	used = versions_add_patch(&part, part_name, "part.p", script, sizeof(script), used);
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
	ck_assert_uint_eq(world_bytes_read(&w, "/dev/part"), 8192); /* two samples */
	ck_assert_uint_lt(world_bytes_read(&w, "/dev/raw"), v.patch_size + 1);
	ck_assert_ptr_nonnull(strstr(w.log, "says the journal"));
}
END_TEST

/* ---- When there is a journal ---- */

START_TEST(test_fresh_run_and_other_package)
{
	(void)versions_add_patch(&v, "/system/app", "p", script, sizeof(script), 0);
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

	(void)versions_add_patch(&v, "/system/app", "p", script, sizeof(script), 0);
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
		(void)versions_add_patch(&v, "/system/app", "p", script, sizeof(script), 0);
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
	size_t used = versions_add_patch(&v, "/system/app", "p", script, sizeof(script), 0);

	used = versions_add_patch(&part, part_name, "part.p", script, sizeof(script), used);
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
	tcase_add_test(tc, test_fresh_run_and_other_package);
	tcase_add_test(tc, test_dry_run_leaves_it_alone);
	tcase_add_loop_test(tc, test_journal_before_first_change, 0, 13);
	tcase_add_test(tc, test_no_room);
	suite_add_tcase(suite, tc);
	return suite;
}
