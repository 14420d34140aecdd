/* SPDX-License-Identifier: Apache-2.0 */
/* Resumed runs over objects that changed since they were recorded, by the script or behind its back. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct world w;
static struct versions v;    /* of the file */
static struct versions part; /* of the partition */
static char script[8192];

static void setup(void)
{
	world_start(&w);
	versions_make(&v, 5000, 5000, 7);
	versions_make(&part, 20000, 20000, 8);
	world_add(&w, "p", v.patch, v.patch_size, 0100644);
	world_add(&w, "part.p", part.patch, part.patch_size, 0100644);
	world_put(&w, "/system/app", v.old_data, v.old_size);
	world_put(&w, "/dev/part", part.old_data, part.old_size);
}

static void teardown(void)
{
	versions_free(&v);
	versions_free(&part);
	world_end(&w);
}

START_TEST(test_attributes_do_not_matter)
{
	size_t used = versions_add_patch(&v, "/system/app", "p", script, sizeof(script), 0);

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
	size_t used = versions_add_check(&v, "/system/app", script, sizeof(script), 0);

	used = versions_add_check(&part, "MTD:part", script, sizeof(script), used);
	used = versions_add_patch(&v, "/system/app", "p", script, sizeof(script), used);
	(void)versions_add_patch(&part, "MTD:part", "part.p", script, sizeof(script), used);
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
	(void)versions_add_patch(&part, "MTD:part", "part.p", script, sizeof(script), used);
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

/* A page that was being programmed when power went may read well now and not the next time. */
START_TEST(test_half_written_image)
{
	unsigned total = 1000;

	world_add(&w, "new", part.new_data, part.new_size, 0100644);
	(void)snprintf(script, sizeof(script), "write_raw_image(package_extract_file(\"new\"),\"part\");\n");
	for (unsigned cut = 1; cut <= total; cut++) {
		char *left;
		size_t size;

		world_put(&w, "/dev/part", part.old_data, part.old_size);
		w.runs = 0;
		w.cut_at = cut;
		(void)world_run(&w, script);
		w.cut_at = 0;
		left = world_get(&w, "/dev/part", &size);
		if (memcmp(left, part.old_data, size) != 0) {
			world_put(&w, "/dev/part", part.new_data, part.new_size);
			total = cut;
			world_succeeds(&w, script);
			ck_assert_ptr_null(strstr(w.log, "already"));
			world_succeeds(&w, script);
			ck_assert_ptr_nonnull(strstr(w.log, "already"));
		}
		free(left);
	}
	ck_assert_uint_lt(total, 1000);
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
		used = versions_add_patch(&part, "MTD:part", "back.p", script, sizeof(script), used);
	(void)versions_add_patch(&v, "MTD:part", "p", script, sizeof(script), used);
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
		size_t used = versions_add_patch(&part, "MTD:part", "part.p", script, sizeof(script), 0);

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

Suite *suite_evidence(void)
{
	Suite *suite = suite_create("evidence");
	TCase *tc = tcase_create("evidence");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_attributes_do_not_matter);
	tcase_add_test(tc, test_changed_since);
	tcase_add_test(tc, test_two_contents);
	tcase_add_test(tc, test_half_written_image);
	tcase_add_loop_test(tc, test_half_old_partition, 0, 2);
	tcase_add_test(tc, test_format_and_program);
	suite_add_tcase(suite, tc);
	return suite;
}
