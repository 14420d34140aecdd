/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "gentools/lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const no_files[GEN_LISTS];

static int parse_bytes(struct lists *lists, enum gen_list kind, const char *text, size_t length, struct error *error)
{
	*lists = (struct lists){0};
	lists->list[kind].file = strdup("l.txt");
	ck_assert_ptr_nonnull(lists->list[kind].file);
	return list_parse(&lists->list[kind], kind, text, length, error);
}

static int parse(struct lists *lists, enum gen_list kind, const char *text, struct error *error)
{
	return parse_bytes(lists, kind, text, strlen(text), error);
}

/* All lines as "NUMBER PATH [[volume ]PARTITION]|", of chmod with modes and owner and a slash behind a folder. */
static void describe(const struct list *list, enum gen_list kind, char *text, size_t size)
{
	*text = '\0';
	for (size_t i = 0; i < list->count; i++) {
		const struct list_line *line = &list->lines[i];
		const struct list_attributes *a = &line->attributes;
		size_t length = strlen(text);

		if (kind == GEN_CHMOD)
			(void)snprintf(text + length, size - length, "%u %s%s %o %lld %lld %o|", line->number,
			               line->path, line->folder ? "/" : "", a->file_mode, (long long)a->uid,
			               (long long)a->gid, a->folder_mode);
		else
			(void)snprintf(text + length, size - length, "%u %s%s%s%s|", line->number, line->path,
			               line->partition ? " " : "", line->volume ? "volume " : "",
			               line->partition ? line->partition : "");
	}
}

/* What a text reads as, or "!" and a part of the error. */
static const struct {
	enum gen_list kind;
	const char *text;
	const char *expected;
} texts[] = {
	{GEN_NOOTA, "", ""},
	{GEN_NOOTA, "SYSTEM/etc/webui/test.cfg", "1 SYSTEM/etc/webui/test.cfg|"},
	{GEN_NOOTA, "\xef\xbb\xbfSYSTEM/a\r\n\r\n  \t\n#SYSTEM/b\n  # c\n \tSYSTEM/d e \r\n",
         "1 SYSTEM/a|6 SYSTEM/d e|"},
	{GEN_NOOTA, "\xef\xbb\xbf", ""},
	{GEN_NOOTA, "/etc/a\n/SYSTEM/etc/b\netc/c\n./SYSTEM/d/\n/etc//.//e/\n",
         "1 SYSTEM/etc/a|2 SYSTEM/etc/b|3 SYSTEM/etc/c|4 SYSTEM/d|5 SYSTEM/etc/e|"},
	{GEN_NOOTA, "/\n.\n/SYSTEMS/x\n..x\n", "1 SYSTEM|2 SYSTEM|3 SYSTEM/SYSTEMS/x|4 SYSTEM/..x|"},
	{GEN_FULLOTA, "BOOTABLE_IMAGES/boot.img\n/MULTIFOTA/abl.elf\n",
         "1 BOOTABLE_IMAGES/boot.img|2 MULTIFOTA/abl.elf|"},
	{GEN_FULLOTA, "SYSTEM/default\nSYSTEM/a b 755 0 0\n", "1 SYSTEM/default|2 SYSTEM/a b 755 0 0|"},
	{GEN_FULLOTA, "SYSTEM/a\n\nSYSTEM/../x\n", "!l.txt:3: a path with \"..\""},
	{GEN_FULLOTA, "..", "!l.txt:1: a path with \"..\""},
	{GEN_CHMOD, "/usr/bin/a 644 2 3\n", "1 SYSTEM/usr/bin/a 644 2 3 755|"},
	{GEN_CHMOD, "#default\n/home/t/\t0755 1 2 700 \r\n/usr/bin/b\r\n",
         "2 SYSTEM/home/t/ 755 1 2 700|3 SYSTEM/usr/bin/b 755 0 0 755|"},
	{GEN_CHMOD, "/a\ndefault 640 5 6 750\n/b\n/c 600 0 0\ndefault 644 7 8\n/d/\ndefault\n/e\n",
         "1 SYSTEM/a 755 0 0 755|3 SYSTEM/b 640 5 6 750|4 SYSTEM/c 600 0 0 750|6 SYSTEM/d/ 644 7 8 755|"
         "8 SYSTEM/e 755 0 0 755|"},
	{GEN_CHMOD, "SYSTEM/x 4755 4294967294 0\n/default 0 0 0 0\n",
         "1 SYSTEM/x 4755 4294967294 0 755|2 SYSTEM/default 0 0 0 0|"},
	{GEN_CHMOD, "/a\n/b 644\n", "!l.txt:2: not of the form PATH [FILE_MODE UID GID [FOLDER_MODE]]"},
	{GEN_CHMOD, "/b 644 0", "!l.txt:1: not of the form"},
	{GEN_CHMOD, "/b 644 0 0 755 1", "!l.txt:1: not of the form"},
	{GEN_CHMOD, "/b 644 0 0 755 1 2 3", "!l.txt:1: not of the form"},
	{GEN_CHMOD, "/b 684 0 0", "!l.txt:1: the file mode"},
	{GEN_CHMOD, "/b 10000 0 0", "!l.txt:1: the file mode"},
	{GEN_CHMOD, "/b -644 0 0", "!l.txt:1: the file mode"},
	{GEN_CHMOD, "/b 644 root 0", "!l.txt:1: user and group"},
	{GEN_CHMOD, "/b 644 0 4294967295", "!l.txt:1: user and group"},
	{GEN_CHMOD, "/b 644 0 99999999999999999999", "!l.txt:1: user and group"},
	{GEN_CHMOD, "/b 644 0 0 rwx", "!l.txt:1: the folder mode"},
	{GEN_CHMOD, "default 999 0 0", "!l.txt:1: the file mode"},
	{GEN_CHMOD, "this line is prose", "!l.txt:1: the file mode"},
	{GEN_MULTIFOTA, "abl.elf\nMULTIFOTA/tz.mbn tz_a\n/sub/x.mbn\n",
         "1 MULTIFOTA/abl.elf|2 MULTIFOTA/tz.mbn tz_a|3 MULTIFOTA/sub/x.mbn|"},
	{GEN_MULTIFOTA, "abl.elf abl b", "!l.txt:1: more than an image and a partition"},
	{GEN_MULTIFOTA, "abl.elf ab:l", "!l.txt:1: a partition's name"},
	{GEN_MULTIFOTA, "a.img UBI:modem\nb.img modem\nUBI:c\n",
         "1 MULTIFOTA/a.img volume modem|2 MULTIFOTA/b.img modem|3 MULTIFOTA/UBI:c|"},
	{GEN_MULTIFOTA, "a.img UBI:", "!l.txt:1: a partition's name"},
	{GEN_MULTIFOTA, "a.img UBI:a:b", "!l.txt:1: a partition's name"},
	{GEN_MULTIFOTA, "a.img UBI:ubi0_1/", "!l.txt:1: a partition's name"},
	{GEN_MULTIFOTA, "\n/SYSTEM/x\n", "!l.txt:2: no image of MULTIFOTA"},
	{GEN_MULTIFOTA, "/\n", "!l.txt:1: no image of MULTIFOTA"},
};

START_TEST(grammar)
{
	const char *expected = texts[_i].expected;
	struct lists lists;
	struct error error = {0};
	char found[ERROR_MESSAGE_SIZE];
	int err = parse(&lists, texts[_i].kind, texts[_i].text, &error);

	if (*expected == '!') {
		ck_assert_int_eq(err, -EINVAL);
		ck_assert_msg(strncmp(error.message, expected + 1, strlen(expected + 1)) == 0, "%s", error.message);
	} else {
		ck_assert_msg(err == 0, "%s", error.message);
		describe(&lists.list[texts[_i].kind], texts[_i].kind, found, sizeof(found));
		ck_assert_str_eq(found, expected);
	}
	lists_free(&lists);
}
END_TEST

/* Of a list that ends anywhere, the lines before are as they were, and none but the last is another one. */
START_TEST(truncated)
{
	static const char text[] = "\xef\xbb\xbf# c\r\n/a/ 755 1 2 700\r\ndefault 600 3 4\n/b 4711 0 0\n/c\n";
	struct lists whole;

	for (unsigned kind = 0; kind < GEN_LISTS; kind++) {
		struct error error;
		int whole_result = parse(&whole, kind, text, &error);

		for (size_t length = 0; length < sizeof(text) - 1; length++) {
			char *part = malloc(length ? length : 1); /* so that a read behind the end is found */
			const struct list *list;
			struct lists lists;

			ck_assert_ptr_nonnull(part);
			memcpy(part, text, length);
			if (parse_bytes(&lists, kind, part, length, &error) < 0)
				ck_assert_msg(strncmp(error.message, "l.txt:", 6) == 0, "%s", error.message);
			list = &lists.list[kind];
			ck_assert_uint_le(list->count, whole.list[kind].count + (whole_result < 0));
			for (size_t i = 0; i + 1 < list->count; i++)
				ck_assert_str_eq(list->lines[i].path, whole.list[kind].lines[i].path);
			lists_free(&lists);
			free(part);
		}
		lists_free(&whole);
	}
}
END_TEST

START_TEST(byte_zero)
{
	static const char utf16[] = "S\0Y\0\n\0";
	struct lists lists;
	struct error error;

	ck_assert_int_eq(parse_bytes(&lists, GEN_NOOTA, utf16, sizeof(utf16) - 1, &error), -EINVAL);
	ck_assert_str_eq(error.message, "l.txt:1: a byte 0: not a text in UTF-8");
	lists_free(&lists);
}
END_TEST

/* Which lines, by number and 0 for none, are for a path, and for something in a folder of that path. */
static const struct {
	const char *text;
	const char *path;
	unsigned found;
	unsigned inside;
} matches[] = {
	{"/etc/a", "SYSTEM/etc/a", 1, 1},
	{"/etc/a", "SYSTEM/etc/ab", 0, 0},
	{"/etc/a", "SYSTEM/etc/a/b/c", 1, 0},
	{"/etc/a/", "SYSTEM/etc/a/b/c", 1, 0},
	{"/etc/a", "SYSTEM/etc", 0, 1},
	{"/etc/a", "SYSTEM/et", 0, 0},
	{"/x\n/etc/a\n/etc/a", "SYSTEM/etc/a", 2, 2},
	{"/etc/webui/*", "SYSTEM/etc/webui/x", 1, 0},
	{"/etc/webui/*", "SYSTEM/etc/webui/.x", 1, 0},
	{"/etc/webui/*", "SYSTEM/etc/webui/sub/x", 1, 0},
	{"/etc/webui/*", "SYSTEM/etc/webui", 0, 1},
	{"/etc/webui/*", "SYSTEM/etc", 0, 1},
	{"/etc/webui/*", "SYSTEM/etc/web", 0, 0},
	{"/etc/*.cfg", "SYSTEM/etc/a.cfg", 1, 0},
	{"/etc/*.cfg", "SYSTEM/etc/sub/a.cfg", 0, 0},
	{"/etc/*.cfg", "SYSTEM/etc/sub", 0, 0},
	{"/*/cfg/a?[0-9]", "SYSTEM/app/cfg/ab7", 1, 0},
	{"/*/cfg/a?[0-9]", "SYSTEM/app/cfg/ab", 0, 0},
	{"/*/cfg/a?[0-9]", "SYSTEM/app/cfg", 0, 1},
	{"/*/cfg/a?[0-9]", "SYSTEM/app", 0, 1},
	{"/*/cfg/a?[0-9]", "SYSTEM/app/lib", 0, 0},
	{"/bin/[", "SYSTEM/bin/[", 1, 1},
	{"/bin/a*b", "SYSTEM/bin/a*b", 1, 1},
	{"/bin/[ab]", "SYSTEM/bin/[ab]", 1, 1},
	{"/bin/[ab]", "SYSTEM/bin/a", 1, 0},
	{"/bin/a\\*", "SYSTEM/bin/ab", 0, 0},
	{"/bin/a\\*", "SYSTEM/bin/a*", 1, 0},
	{"MULTIFOTA/*", "MULTIFOTA/abl.elf", 1, 0},
	{"/", "SYSTEM/any", 1, 0},
	{"/", "BOOTABLE_IMAGES/boot.img", 0, 0},
};

START_TEST(matching)
{
	const struct list_line *line;
	struct lists lists;
	struct error error;

	ck_assert_int_eq(parse(&lists, GEN_NOOTA, matches[_i].text, &error), 0);
	line = list_find(&lists.list[GEN_NOOTA], matches[_i].path);
	ck_assert_uint_eq(line ? line->number : 0, matches[_i].found);
	line = list_find_inside(&lists.list[GEN_NOOTA], matches[_i].path);
	ck_assert_uint_eq(line ? line->number : 0, matches[_i].inside);
	lists_free(&lists);
}
END_TEST

static void write_text(const char *folder, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void add_line(void *ctx, const char *text)
{
	(void)fprintf(ctx, "%s\n", text);
}

START_TEST(files)
{
	const char *given[GEN_LISTS] = {0};
	char folder[] = "/tmp/test_gentools.XXXXXX";
	char other[64];
	char command[64];
	struct lists lists;
	struct error error;
	struct log log = {.line = add_line};
	size_t size;
	char *text;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	log.ctx = open_memstream(&text, &size);
	ck_assert_int_eq(lists_read(&lists, no_files, folder, &log, &error), 0);
	lists_free(&lists);
	ck_assert_int_eq(fflush(log.ctx), 0);
	ck_assert_ptr_nonnull(strstr(text, "warning: "));
	write_text(folder, "quectel_fullota_filelist.txt", "/f\n");
	write_text(folder, "quectel_noota_filelist.txt", "/n\n");
	write_text(folder, "quectel_chmod_filelist.txt", "/c\n");
	write_text(folder, "quectel_multifota_filelist.txt", "m\n");
	write_text(folder, "quectel_project_filelist.txt", "anything: 1 2 3 ../..\n");
	write_text(folder, "other", "/o\n");
	given[GEN_NOOTA] = other;
	ck_assert_int_eq(lists_read(&lists, given, folder, &log, &error), 0);
	ck_assert_int_eq(fclose(log.ctx), 0);
	ck_assert_ptr_nonnull(strstr(text, "quectel_project_filelist.txt: accepted, but has no effect"));
	free(text);
	ck_assert_str_eq(lists.list[GEN_FULLOTA].lines[0].path, "SYSTEM/f");
	ck_assert_str_eq(lists.list[GEN_NOOTA].lines[0].path, "SYSTEM/o");
	ck_assert_str_eq(lists.list[GEN_CHMOD].lines[0].path, "SYSTEM/c");
	ck_assert_str_eq(lists.list[GEN_MULTIFOTA].lines[0].path, "MULTIFOTA/m");
	lists_free(&lists);
	ck_assert_int_eq(lists_read(&lists, given, NULL, NULL, &error), 0);
	ck_assert_uint_eq(lists.list[GEN_FULLOTA].count, 0);
	ck_assert_uint_eq(lists.list[GEN_NOOTA].count, 1);
	lists_free(&lists);
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}
END_TEST

START_TEST(unreadable)
{
	static const struct {
		const char *file;
		const char *folder;
		const char *cause;
	} cases[] = {
		{"/nonexistent/list", NULL, "/nonexistent/list: cannot read the list: No such file or directory"},
		{"/dev", NULL, "/dev: cannot read the list: Is a directory"},
		{"/dev/zero", NULL, "/dev/zero: cannot read the list: File too large"},
		{NULL, "/nonexistent", "/nonexistent: no folder of lists: No such file or directory"},
		{NULL, "/dev/null", "/dev/null: no folder of lists: Not a directory"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *given[GEN_LISTS] = {[GEN_CHMOD] = cases[i].file};
		struct lists lists;
		struct error error = {0};

		ck_assert_int_lt(lists_read(&lists, given, cases[i].folder, NULL, &error), 0);
		ck_assert_str_eq(error.message, cases[i].cause);
		lists_free(&lists);
	}
}
END_TEST

TCase *list_tests(void)
{
	TCase *tests = tcase_create("lists");

	tcase_add_loop_test(tests, grammar, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(tests, truncated);
	tcase_add_test(tests, byte_zero);
	tcase_add_loop_test(tests, matching, 0, sizeof(matches) / sizeof(matches[0]));
	tcase_add_test(tests, files);
	tcase_add_test(tests, unreadable);
	return tests;
}
