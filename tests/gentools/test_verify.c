/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "harness.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct item source[] = {
	ITEM_FILE("MULTIFOTA/abl.elf", 0644, "loader 1"),
	ITEM_NOISE("SYSTEM/a", 40000, 1),
	ITEM_FILE("SYSTEM/gone", 0644, "old"),
	ITEM_LINK("SYSTEM/link", "a"),
	ITEM_FILE("SYSTEM/firmware/modem.b00", 0644, "modem"),
	ITEM_END,
};

static const struct item target[] = {
	ITEM_FILE("MULTIFOTA/abl.elf", 0644, "loader 2"),
	ITEM_NOISE("SYSTEM/a", 40000, 2),
	ITEM_DIR("SYSTEM/empty"),
	ITEM_LINK("SYSTEM/link", "b"),
	ITEM_FILE("SYSTEM/new", 06755, "new"),
	ITEM_FILE("SYSTEM/firmware/modem.b00", 0644, "modem"),
	ITEM_END,
};

static void add_line(void *ctx, const char *text)
{
	(void)fprintf(ctx, "%s\n", text);
}

/* Verify the run's package against a target of other items; the caller frees the log. */
static int verify_against(struct run *run, const char *parts, const struct item *items, char **lines)
{
	struct gen_options options = {0};
	char paths[3][96];
	struct log log = {.line = add_line};
	size_t size;
	int err;

	(void)snprintf(paths[0], sizeof(paths[0]), "%s/source.zip", run->folder);
	(void)snprintf(paths[1], sizeof(paths[1]), "%s/target.zip", run->folder);
	(void)snprintf(paths[2], sizeof(paths[2]), "%s/update.zip", run->folder);
	write_firmware(paths[1], items);
	options.source = paths[0];
	options.target = paths[1];
	options.output = paths[2];
	ck_assert_int_eq(gen_parse_parts(parts, &options.parts), 0);
	log.ctx = open_memstream(lines, &size);
	err = gen_verify_package(&options, &log, &run->error);
	ck_assert_int_eq(fclose(log.ctx), 0);
	return err;
}

START_TEST(says_that_it_was_verified)
{
	struct run run;
	char *lines;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_ptr_nonnull(strstr(run.log, "verified: "));
	ck_assert_int_eq(verify_against(&run, "a", target, &lines), 0);
	ck_assert_ptr_eq(strstr(lines, "verified: "), lines);
	free(lines);
	run_end(&run);
}
END_TEST

/* Without the target, how large a partition is nobody says: an image that grows must fit all the same. */
START_TEST(installs_what_grows)
{
	static const struct item larger[] = {ITEM_NOISE("BOOTABLE_IMAGES/boot.img", 300000, 1), ITEM_END};
	static const struct item small[] = {ITEM_NOISE("BOOTABLE_IMAGES/boot.img", 100000, 1), ITEM_END};
	struct gen_options options = {.parts = GEN_ALL};
	struct log silent = {0};
	char paths[2][96];
	struct run run;

	run_start(&run, "a", small, larger);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	(void)snprintf(paths[0], sizeof(paths[0]), "%s/source.zip", run.folder);
	(void)snprintf(paths[1], sizeof(paths[1]), "%s/update.zip", run.folder);
	options.source = paths[0];
	options.output = paths[1];
	ck_assert_msg(gen_verify_package(&options, &silent, &run.error) == 0, "%s", run.error.message);
	run_end(&run);
}
END_TEST

/* What the package does not bring, or brings although it should not: one thing each, and how it is named. */
static const struct {
	struct item item;
	const char *line;
} differences[] = {
	{ITEM_FILE("MULTIFOTA/abl.elf", 0644, "loader 3"), "MULTIFOTA/abl.elf: another content from byte 7 on"},
	{ITEM_FILE("BOOTABLE_IMAGES/boot.img", 0644, "kernel2"),
         "BOOTABLE_IMAGES/boot.img: another content from byte 6 on"},
	{ITEM_NOISE("SYSTEM/a", 40000, 3), "/system/a: another content from byte 2 on"},
	{ITEM_NOISE("SYSTEM/a", 40001, 2), "/system/a: has 40000 bytes, not 40001"},
	{ITEM_NOISE("SYSTEM/a", 0, 0), "/system/a: has 40000 bytes, not 0"},
	{ITEM_NONE("SYSTEM/empty"), "/system/empty: a directory that should not be there"},
	{ITEM_LINK("SYSTEM/empty", "x"), "/system/empty: is a directory, not a symbolic link"},
	{ITEM_DIR("SYSTEM/empty2"), "/system/empty2: is missing"},
	{ITEM_LINK("SYSTEM/link", "c"), "/system/link: leads to \"b\", not \"c\""},
	{ITEM_FILE("SYSTEM/new", 0755, "new"), "/system/new: has mode 06755, not 0755"},
	{{.path = "SYSTEM/bin", .type = S_IFDIR, .mode = 0755, .uid = 0, .gid = 7, .text = ""},
         "/system/bin: has owner 0:0, not 0:7"},
	{ITEM_FILE("SYSTEM/gone", 0644, "old"), "/system/gone: is missing"},
	{ITEM_NONE("SYSTEM/firmware/modem.b00"), "/system/firmware/modem.b00: a file that should not be there"},
};

START_TEST(names_each_difference)
{
	enum { COUNT = sizeof(target) / sizeof(target[0]) };
	struct item other[COUNT + 1];
	char expected[256];
	struct run run;
	char *lines;
	size_t count = 0;

	for (size_t i = 0; target[i].path; i++)
		if (strcmp(target[i].path, differences[_i].item.path) != 0)
			other[count++] = target[i];
	other[count++] = differences[_i].item;
	other[count] = (struct item)ITEM_END;
	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_eq(verify_against(&run, "a", other, &lines), -EILSEQ);
	(void)snprintf(expected, sizeof(expected), "differs: %s\n", differences[_i].line);
	ck_assert_str_eq(lines, expected);
	ck_assert_msg(strstr(run.error.message, differences[_i].line) != NULL, "%s", run.error.message);
	ck_assert_ptr_nonnull(strstr(run.error.message, ": 1 differences from "));
	free(lines);
	run_end(&run);
}
END_TEST

/* Of a package of some parts the others have to stay as they are in the source. */
START_TEST(other_parts_stay)
{
	struct run run;
	char *lines;

	run_start(&run, "l", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_eq(verify_against(&run, "l", target, &lines), 0);
	free(lines);
	ck_assert_int_eq(verify_against(&run, "a", target, &lines), -EILSEQ);
	ck_assert_str_eq(lines, "differs: MULTIFOTA/abl.elf: another content from byte 7 on\n");
	free(lines);
	ck_assert_int_eq(verify_against(&run, "m", target, &lines), -EILSEQ);
	ck_assert_ptr_nonnull(strstr(lines, "differs: /system/gone: is missing\n"));
	ck_assert_ptr_nonnull(strstr(lines, "differs: /system/new: a file that should not be there\n"));
	free(lines);
	run_end(&run);
}
END_TEST

/* The updater walks 128 levels: what a module cannot install must not lie there as a package. */
START_TEST(leaves_no_package_that_does_not_install)
{
	char path[300] = "SYSTEM/deep";
	struct item deep[2] = {{.path = path}, ITEM_END};
	static const struct item none[] = {ITEM_END};
	struct run run;

	for (char *end = path + strlen(path); end + 2 < path + sizeof(path); end += 2)
		memcpy(end, "/x", 3);
	deep[0] = (struct item)ITEM_DIR(path);
	run_start(&run, "a", deep, none); /* checks that no update.zip is there */
	ck_assert_int_lt(run.result, 0);
	ck_assert_msg(strstr(run.error.message, "does not install on the source: ") != NULL, "%s", run.error.message);
	run_end(&run); /* and that nothing else was left */
}
END_TEST

/* ---- The model, by scripts that update_gen would not write ---- */

static void write_entry(struct archive *archive, const char *name, const char *text)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)strlen(text));
	ck_assert_int_eq(archive_write_header(archive, entry), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_data(archive, text, strlen(text)), (la_ssize_t)strlen(text));
	archive_entry_free(entry);
}

/* Run a script on the base and these items, and compare with the base and those. */
static int play_script(const char *script, const struct item *before, const struct item *after, char **lines)
{
	struct run run = {.folder = "/tmp/test_gentools.XXXXXX"};
	struct archive *archive = archive_write_new();
	char path[96];
	int err;

	ck_assert_ptr_nonnull(mkdtemp(run.folder));
	(void)snprintf(path, sizeof(path), "%s/source.zip", run.folder);
	write_firmware(path, before);
	(void)snprintf(path, sizeof(path), "%s/update.zip", run.folder);
	ck_assert_int_eq(archive_write_set_format_zip(archive), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_open_filename(archive, path), ARCHIVE_OK);
	write_entry(archive, PACKAGE_SCRIPT, script);
	write_entry(archive, "content", "content");
	ck_assert_int_eq(archive_write_free(archive), ARCHIVE_OK);
	err = verify_against(&run, "a", after, lines);
	run_end(&run);
	return err;
}

static const struct item tree[] = {
	ITEM_DIR("SYSTEM/usr"),
	ITEM_DIR("SYSTEM/usr/lib"),
	ITEM_DIR("SYSTEM/usr/lib/deep"),
	ITEM_FILE("SYSTEM/usr/lib/deep/x", 0644, "x"),
	ITEM_FILE("SYSTEM/usr/lib/y", 06711, "y"),
	ITEM_LINK("SYSTEM/up", "/system/usr/../usr/lib/deep/.."),
	ITEM_LINK("SYSTEM/loop", "loop"),
	ITEM_END,
};

#define GROUP_DIR(path_)                                                                                               \
	{                                                                                                              \
		.path = (path_), .type = S_IFDIR, .mode = 02755, .gid = 5, .text = ""                                  \
	}

static const struct {
	const char *script;
	struct item items[3]; /* over those of the tree */
} plays[] = {
	{"delete(\"/system/up/y\");", {ITEM_NONE("SYSTEM/usr/lib/y"), ITEM_END}},
	{"delete(\"/system/lib/y\");", {ITEM_NONE("SYSTEM/usr/lib/y"), ITEM_END}},
	{"delete(\"/system/loop\");", {ITEM_NONE("SYSTEM/loop"), ITEM_END}},
	{"delete(\"/system/up\");", {ITEM_NONE("SYSTEM/up"), ITEM_END}},
	{"delete_recursive(\"/system/usr/lib/deep\");",
         {ITEM_NONE("SYSTEM/usr/lib/deep"), ITEM_NONE("SYSTEM/usr/lib/deep/x"), ITEM_END}},
	{"rename(\"/system/usr/lib/y\", \"/system/usr/lib/deep/x\");",
         {ITEM_NONE("SYSTEM/usr/lib/y"), ITEM_FILE("SYSTEM/usr/lib/deep/x", 06711, "y"), ITEM_END}},
	{"package_extract_file(\"content\", \"/system/up/z\");",
         {ITEM_FILE("SYSTEM/usr/lib/z", 0644, "content"), ITEM_END}},
	/* A new owner costs the set-id bits, unless the mode is set behind it. */
	{"set_perm(0, 3, 06711, \"/system/lib/y\");",
         {{.path = "SYSTEM/usr/lib/y", .type = S_IFREG, .mode = 06711, .gid = 3, .text = "y"}, ITEM_END}},
	{"set_metadata(\"/system/lib/y\", \"gid\", 3);",
         {{.path = "SYSTEM/usr/lib/y", .type = S_IFREG, .mode = 06711, .gid = 3, .text = "y"}, ITEM_END}},
	/* In a directory with that bit, what is new gets its group. */
	{"set_perm(0, 5, 02755, \"/system/usr\"); symlink(\"a\", \"/system/usr/b\");",
         {GROUP_DIR("SYSTEM/usr"),
          {.path = "SYSTEM/usr/b", .type = S_IFLNK, .mode = 0777, .gid = 5, .text = "a"},
          ITEM_END}},
};

START_TEST(plays_a_script)
{
	struct item after[16];
	size_t count = 0;
	char *lines;

	for (size_t i = 0; tree[i].path; i++) {
		bool replaced = false;

		for (size_t j = 0; plays[_i].items[j].path; j++)
			replaced = replaced || strcmp(tree[i].path, plays[_i].items[j].path) == 0;
		if (!replaced)
			after[count++] = tree[i];
	}
	for (size_t j = 0; plays[_i].items[j].path; j++)
		after[count++] = plays[_i].items[j];
	after[count] = (struct item)ITEM_END;
	ck_assert_msg(play_script(plays[_i].script, tree, after, &lines) == 0, "%s: %s", plays[_i].script, lines);
	free(lines);
}
END_TEST

START_TEST(links_in_a_circle_lead_nowhere)
{
	char *lines;

	ck_assert_int_eq(play_script("delete(\"/system/loop/y\");", tree, tree, &lines), -ECANCELED);
	ck_assert_str_eq(lines, "");
	free(lines);
}
END_TEST

/* Nothing moves from one file system into another, and no file has names in two. */
START_TEST(file_systems_are_apart)
{
	static const char *const scripts[] = {
		"rename(\"/system/usr/lib/y\", \"/system/firmware/y\");",
		"hard_link(\"/system/usr/lib/y\", \"/system/firmware/y\");",
		"rename(\"/system/usr\", \"/cache/usr\");",
	};
	char *lines;

	ck_assert_int_eq(play_script(scripts[_i], tree, tree, &lines), -ECANCELED);
	ck_assert_str_eq(lines, "");
	free(lines);
}
END_TEST

TCase *verify_tests(void)
{
	TCase *tests = tcase_create("verify");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, says_that_it_was_verified);
	tcase_add_test(tests, installs_what_grows);
	tcase_add_loop_test(tests, names_each_difference, 0, sizeof(differences) / sizeof(differences[0]));
	tcase_add_test(tests, other_parts_stay);
	tcase_add_test(tests, leaves_no_package_that_does_not_install);
	tcase_add_loop_test(tests, plays_a_script, 0, sizeof(plays) / sizeof(plays[0]));
	tcase_add_test(tests, links_in_a_circle_lead_nowhere);
	tcase_add_loop_test(tests, file_systems_are_apart, 0, 3);
	return tests;
}
