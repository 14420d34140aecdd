/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "gentools/tree.h"
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct item no_items[] = {ITEM_END};
static const struct item new_file[] = {ITEM_FILE("SYSTEM/new", 0644, "new"), ITEM_END};

START_TEST(nothing_to_do)
{
	struct run run;

	run_start(&run, "a", new_file, new_file);
	ck_assert_int_eq(run.result, -ENODATA);
	ck_assert_ptr_nonnull(strstr(run.error.message, "nothing to do"));
	run_end(&run);
	/* Differences outside of the wanted parts do not count. */
	run_start(&run, "mo", no_items, new_file);
	ck_assert_int_eq(run.result, -ENODATA);
	run_end(&run);
}
END_TEST

static const struct {
	struct item items[3];
	const char *cause;
} bad_firmwares[] = {
	{{ITEM_NONE("SYSTEM/etc/quectel-project-version"), ITEM_END}, "quectel-project-version"},
	{{ITEM_FILE("SYSTEM/../x", 0644, ""), ITEM_END}, "not a path inside"},
	{{ITEM_FILE("/SYSTEM/x", 0644, ""), ITEM_END}, "not a path inside"},
	{{ITEM_FILE("SYSTEM//x", 0644, ""), ITEM_END}, "not a path inside"},
	{{ITEM_FILE("SYSTEM/./x", 0644, ""), ITEM_END}, "not a path inside"},
	{{ITEM_FILE("SYSTEM/lib/x", 0644, ""), ITEM_END}, "below a file or link"},
	{{ITEM_FILE("SYSTEM/x", 0644, "1"), ITEM_FILE("./SYSTEM/x", 0644, "2"), ITEM_END}, "twice"},
	{{ITEM_NONE("BOOTABLE_IMAGES"), ITEM_NONE("BOOTABLE_IMAGES/boot.img"), ITEM_END}, "not a targetfiles.zip"},
	{{ITEM_LINK("SYSTEM/firmware", "x"), ITEM_END}, "not a directory"},
	{{ITEM_FILE("MULTIFOTA", 0644, "x"), ITEM_END}, "not a directory"},
	{{ITEM_LINK("SYSTEM/empty", ""), ITEM_END}, "link to nowhere"},
};

START_TEST(refuses_bad_firmware)
{
	struct run run;

	run_start(&run, "a", bad_firmwares[_i].items, new_file);
	ck_assert_int_lt(run.result, 0);
	ck_assert_msg(strstr(run.error.message, bad_firmwares[_i].cause) != NULL, "%s", run.error.message);
	ck_assert_ptr_nonnull(strstr(run.error.message, "source.zip"));
	run_end(&run);
}
END_TEST

/* What a package, or a script, has no way to carry. */
static const struct {
	struct item items[3];
	const char *cause;
} bad_targets[] = {
	{{ITEM_FILE("SYSTEM/a\\b", 0644, "x"), ITEM_END}, "backslash"},
	{{ITEM_FILE("SYSTEM/a\nb", 0644, "x"), ITEM_END}, "backslash"},
	{{ITEM_FILE("MULTIFOTA/a:b.img", 0644, "x"), ITEM_END}, "partition name"},
	{{ITEM_FILE("MULTIFOTA/.img", 0644, "x"), ITEM_END}, "partition name"},
	{{ITEM_FILE("MULTIFOTA/abl.elf", 0644, "x"), ITEM_FILE("MULTIFOTA/abl.img", 0644, "x"), ITEM_END},
         "same partition"},
	{{ITEM_LINK("MULTIFOTA/abl.elf", "x"), ITEM_END}, "must be a file"},
	{{ITEM_FILE("MULTIFOTA/abl.elf", 0644, ""), ITEM_END}, "must not be empty"},
	{{ITEM_FILE("BOOTABLE_IMAGES/boot.img", 0644, ""), ITEM_END}, "must not be empty"},
};

START_TEST(refuses_what_cannot_be_carried)
{
	struct run run;

	run_start(&run, "a", no_items, bad_targets[_i].items);
	ck_assert_int_lt(run.result, 0);
	ck_assert_msg(strstr(run.error.message, bad_targets[_i].cause) != NULL, "%s", run.error.message);
	run_end(&run);
}
END_TEST

START_TEST(followed_links)
{
	struct item source[12] = {ITEM_NONE("SYSTEM/lib")};
	struct item target[2] = {ITEM_NONE("SYSTEM/lib"), ITEM_END};
	char names[10][32];
	struct run run;

	for (unsigned i = 0; i < 10; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "SYSTEM/link%u", i);
		source[i + 1] = (struct item)ITEM_LINK(names[i], "x");
	}
	run_start(&run, "a", source, target);
	ck_assert_int_lt(run.result, 0);
	ck_assert_msg(strstr(run.error.message, "zip -qry0") != NULL, "%s", run.error.message);
	run_end(&run);
}
END_TEST

/* Also where both versions were packed so: nothing but files, and one content under many names. */
START_TEST(followed_links_in_both)
{
	struct item items[13] = {ITEM_NONE("SYSTEM/lib")};
	char names[11][32];
	struct run run;

	for (unsigned i = 0; i < 11; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "SYSTEM/bin/tool%u", i);
		items[i + 1] = (struct item)ITEM_FILE(names[i], 0755, "one program");
	}
	run_start(&run, "a", items, items);
	ck_assert_int_lt(run.result, 0);
	ck_assert_msg(strstr(run.error.message, "10 files that are equal to others") != NULL, "%s", run.error.message);
	ck_assert_msg(strstr(run.error.message, "zip -qry0") != NULL, "%s", run.error.message);
	run_end(&run);
	/* With a link that was kept, or one name less, it is a choice. */
	items[0] = (struct item)ITEM_NONE("SYSTEM/none");
	run_start(&run, "a", no_items, items);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	run_end(&run);
	items[0] = (struct item)ITEM_NONE("SYSTEM/lib");
	items[11] = (struct item)ITEM_END;
	run_start(&run, "a", no_items, items);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	run_end(&run);
}
END_TEST

/* As of a machine that has none: programs would not run. */
START_TEST(packed_without_modes)
{
	struct item items[11] = {ITEM_FILE("SYSTEM/bin/same", 0644, "the same program")};
	char names[9][32];
	struct run run;

	for (unsigned i = 0; i < 9; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "SYSTEM/bin/tool%u", i);
		items[i + 1] = (struct item)ITEM_STREAM(names[i], 100, 0, i);
	}
	run_start(&run, "a", no_items, items);
	ck_assert_int_lt(run.result, 0);
	ck_assert_msg(strstr(run.error.message, "target.zip: none of the 11 files of SYSTEM may be executed") != NULL,
	              "%s", run.error.message);
	run_end(&run);
	items[1].mode = 0755;
	run_start(&run, "a", no_items, items);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	run_end(&run);
}
END_TEST

/* Of some parts: which others differ, and stay. */
START_TEST(parts_left_out)
{
	static const struct item target[] = {ITEM_FILE("BOOTABLE_IMAGES/boot.img", 0644, "another kernel"),
	                                     ITEM_FILE("SYSTEM/new", 0644, "new"),
	                                     ITEM_FILE("SYSTEM/firmware/x", 0644, "modem"), ITEM_END};
	static const struct {
		const char *parts;
		const char *left_out; /* NULL: nothing */
	} cases[] = {
		{"a", NULL}, {"mlo", NULL}, {"l", "warning: modem, kernel: not in"}, {"mo", "warning: linux: not in"}};
	struct run run;

	run_start(&run, cases[_i].parts, no_items, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	if (cases[_i].left_out)
		ck_assert_msg(strstr(run.log, cases[_i].left_out) != NULL, "%s", run.log);
	else
		ck_assert_ptr_null(strstr(run.log, "warning:"));
	run_end(&run);
}
END_TEST

/* A package whose script no updater reads must not be made. */
START_TEST(script_that_is_too_long)
{
	enum { LINKS = 2300 };
	struct item *target = calloc(LINKS + 1, sizeof(*target));
	char(*names)[24] = calloc(LINKS, sizeof(*names));
	char leads_to[4000];
	struct run run;

	memset(leads_to, 'x', sizeof(leads_to));
	leads_to[sizeof(leads_to) - 1] = '\0';
	for (unsigned i = 0; i < LINKS; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "SYSTEM/link%u", i);
		target[i] = (struct item)ITEM_LINK(names[i], leads_to);
	}
	run_start(&run, "a", no_items, target);
	ck_assert_int_eq(run.result, -EFBIG);
	ck_assert_ptr_nonnull(strstr(run.error.message, "too many differences"));
	run_end(&run);
	free(names);
	free(target);
}
END_TEST

START_TEST(implied_directories)
{
	/* zip -D: no mode is known, so none may be set for "etc" although the source says 0755. */
	static const struct item target[] = {ITEM_NONE("SYSTEM"), ITEM_NONE("SYSTEM/etc"), ITEM_NONE("SYSTEM/bin"),
	                                     ITEM_FILE("SYSTEM/deep/er/x", 0644, "x"), ITEM_END};
	struct run run;

	run_start(&run, "a", no_items, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert(has_entry(&run, "system/deep/er"));
	ck_assert_int_eq(find_call(&run, "set_metadata(/system/deep,"), -1);
	ck_assert_int_eq(find_call(&run, "set_metadata(/system/etc,"), -1);
	ck_assert_int_ge(find_call(&run, "set_metadata(/system/deep/er/x,"), 0);
	run_end(&run);
}
END_TEST

START_TEST(same_inputs_same_bytes)
{
	static const struct item source[] = {ITEM_NOISE("SYSTEM/a", 50000, 1), ITEM_NOISE("SYSTEM/b", 5000, 0),
	                                     ITEM_END};
	static const struct item target[] = {ITEM_NOISE("SYSTEM/a", 50000, 9), ITEM_DIR("SYSTEM/d"),
	                                     ITEM_NOISE("SYSTEM/caf\xc3\xa9", 4000, 0), ITEM_END};
	/* The same archive in another order. */
	static const struct item shuffled[] = {ITEM_NOISE("SYSTEM/caf\xc3\xa9", 4000, 0),
	                                       ITEM_NOISE("SYSTEM/a", 50000, 9), ITEM_DIR("SYSTEM/d"), ITEM_END};
	struct run first;
	struct run second;

	run_start(&first, "a", source, target);
	ck_assert_int_eq(setenv("TZ", "Asia/Tokyo", 1), 0);
	run_start(&second, "olma", source, shuffled);
	ck_assert_int_eq(first.result, 0);
	ck_assert_int_eq(second.result, 0);
	ck_assert_uint_eq(first.block.size, second.block.size);
	ck_assert_int_eq(memcmp(first.bytes, second.bytes, first.block.size), 0);
	run_end(&first);
	run_end(&second);
}
END_TEST

START_TEST(log_has_a_line_per_object)
{
	static const struct item source[] = {ITEM_NOISE("SYSTEM/a", 5000, 1), ITEM_FILE("SYSTEM/z", 0644, ""),
	                                     ITEM_END};
	static const struct item target[] = {ITEM_NOISE("SYSTEM/a", 5001, 1), ITEM_END};
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_ptr_eq(strstr(run.log, "patch SYSTEM/a: 5000 -> 5001 bytes, patch "), run.log);
	ck_assert_ptr_nonnull(strstr(run.log, "\ndelete SYSTEM/z\n"));
	run_end(&run);
}
END_TEST

START_TEST(order_of_paths)
{
	static const char *const sorted[] = {"a", "a/b", "a/b/c", "a/c", "a b", "a-b", "ab", "b", "\xc3\xa9"};

	for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++) {
		ck_assert_int_eq(tree_compare_paths(sorted[i], sorted[i]), 0);
		for (size_t j = i + 1; j < sizeof(sorted) / sizeof(sorted[0]); j++) {
			ck_assert_int_lt(tree_compare_paths(sorted[i], sorted[j]), 0);
			ck_assert_int_gt(tree_compare_paths(sorted[j], sorted[i]), 0);
		}
	}
}
END_TEST

/* A firmware image that is cut anywhere is refused; a package must never be made of half an image. */
START_TEST(truncated_input)
{
	struct gen_options options = {.parts = GEN_ALL};
	char folder[] = "/tmp/test_gentools.XXXXXX";
	char paths[3][64];
	struct error error;
	struct stat st;
	off_t size;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (unsigned i = 0; i < 3; i++)
		(void)snprintf(paths[i], sizeof(paths[i]), "%s/%u", folder, i);
	write_firmware(paths[0], no_items);
	write_firmware(paths[1], new_file);
	options.source = paths[0];
	options.target = paths[1];
	options.output = paths[2];
	ck_assert_int_eq(stat(paths[1], &st), 0);
	for (size = st.st_size - 1; size > 0; size -= size > 200 ? 37 : 1) {
		ck_assert_int_eq(truncate(paths[1], size), 0);
		ck_assert_int_lt(gen_make_package(&options, NULL, &error), 0);
		ck_assert_int_ne(access(paths[2], F_OK), 0);
	}
	ck_assert_int_eq(unlink(paths[0]), 0);
	ck_assert_int_eq(unlink(paths[1]), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

TCase *input_tests(void)
{
	TCase *tests = tcase_create("inputs");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, nothing_to_do);
	tcase_add_loop_test(tests, refuses_bad_firmware, 0, sizeof(bad_firmwares) / sizeof(bad_firmwares[0]));
	tcase_add_loop_test(tests, refuses_what_cannot_be_carried, 0, sizeof(bad_targets) / sizeof(bad_targets[0]));
	tcase_add_test(tests, followed_links);
	tcase_add_test(tests, followed_links_in_both);
	tcase_add_test(tests, packed_without_modes);
	tcase_add_test(tests, implied_directories);
	tcase_add_loop_test(tests, parts_left_out, 0, 4);
	tcase_add_test(tests, script_that_is_too_long);
	tcase_add_test(tests, same_inputs_same_bytes);
	tcase_add_test(tests, log_has_a_line_per_object);
	tcase_add_test(tests, order_of_paths);
	tcase_add_test(tests, truncated_input);
	return tests;
}
