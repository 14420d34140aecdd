/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* update_gen, as ctest builds it, with arguments after a cd into the folder; its output in "out" and "err" there. */
static int run_program(const char *folder, const char *arguments)
{
	char command[1024];
	int status;

	(void)snprintf(command, sizeof(command), "cd %s && '%s' %s >out 2>err", folder, UPDATE_GEN, arguments);
	status = system(command); /* NOLINT(cert-env33-c): the shell's redirections are what is tested */
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static long size_of(const char *folder, const char *name)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

#define INPUTS " --source source.zip --target target.zip"

static const struct {
	const char *arguments;
	int status;
	bool output;
	bool errors;
} exits[] = {
	{"a -s source.zip -t target.zip -o source.zip", 1, false, true},
	{"a -s source.zip -t target.zip -o ./target.zip", 1, false, true},
	{"a" INPUTS " -o x.zip", 0, true, false},
	{"m l -s source.zip -t target.zip --output x.zip", 0, true, false},
	{"o" INPUTS " -o x.zip", 1, true, true}, /* the log warns of what is left out */
	{"o" INPUTS " -o x.zip --allow-empty", 0, true, false},
	{"a" INPUTS " -o x.zip --lists .", 0, true, false},
	{"a" INPUTS " -o x.zip --noota", 2, false, true},
	{"o" INPUTS " -o x.zip --allow-empty --no-verify", 0, true, false},
	{"a" INPUTS " -o y.zip --no-verify", 0, true, false},
	{"verify y.zip" INPUTS, 0, true, false},
	{"verify y.zip" INPUTS " --max-package 1K --max-memory 1M", 1, true, true},
	{"verify y.zip" INPUTS " --max-scratch 1000M", 0, true, false},
	{"verify y.zip" INPUTS " --max-scratch 0", 2, false, true},
	{"a" INPUTS " -o limited.zip --max-memory 1M", 1, true, true},
	{"a" INPUTS " -o x.zip --compat native --leb 124K --erase-block 131072", 0, true, false},
	{"a" INPUTS " -o x.zip --leb 126", 2, false, true},
	{"a" INPUTS " -o x.zip --erase-block 17M", 2, false, true},
	{"a" INPUTS " -o x.zip --erase-block some", 2, false, true},
	{"a -t target.zip -o formatted.zip --full", 0, true, false},
	{"verify formatted.zip" INPUTS, 0, true, false},
	{"a -t target.zip -o full.zip --full --compat native --minimal --max-package 1M", 2, false, true},
	{"a --full --compat native -o full.zip", 2, false, true},
	{"a -t target.zip -o full.zip --full --compat native", 0, true, false},
	{"verify full.zip" INPUTS, 0, true, false},
	{"verify full.zip -s target.zip -t target.zip", 0, true, false},
	{"verify full.zip -s target.zip -t source.zip", 3, true, true},
	{"verify full.zip --full --compat native", 2, false, true},
	{"a" INPUTS " -o full.zip --full --compat native --noota kept", 1, true, true},
	{"a" INPUTS " -o two.zip --minimal", 2, false, true},
	{"a" INPUTS " -o two.zip --minimal --max-package 1M", 0, true, false},
	{"verify two.zip" INPUTS, 0, true, false},
	{"verify two-2.zip" INPUTS, 3, false, true},
	{"verify y.zip -s source.zip", 0, true, false},
	{"a" INPUTS " -o z.zip --noota kept", 1, true, true},
	{"a" INPUTS " -o z.zip --noota kept --allow-empty", 0, true, false},
	{"verify z.zip" INPUTS " --noota kept", 0, true, false},
	{"verify z.zip" INPUTS, 3, true, true},
	{"verify y.zip l" INPUTS, 0, true, false},
	{"verify y.zip mo" INPUTS, 3, true, true},
	{"verify source.zip" INPUTS, 3, false, true},
	{"verify none.zip" INPUTS, 1, false, true},
	{"verify y.zip", 2, false, true},
	{"verify" INPUTS, 2, false, true},
	{"verify y.zip -o y.zip" INPUTS, 2, false, true},
	{"a --source none.zip --target target.zip -o x.zip", 1, false, true},
	{"a --source out --target target.zip -o x.zip", 1, false, true},
	{"a" INPUTS " -o none/x.zip", 1, true, true},
	{"a" INPUTS, 2, false, true},
	{INPUTS " -o x.zip", 2, false, true},
	{"q" INPUTS " -o x.zip", 2, false, true},
	{"a" INPUTS " -o x.zip --unknown", 2, false, true},
	{"--help", 0, true, false},
	{"--version", 0, true, false},
};

START_TEST(exit_codes)
{
	char folder[] = "/tmp/test_gentools.XXXXXX";
	char command[64];
	static const struct item source[] = {ITEM_END};
	static const struct item target[] = {ITEM_FILE("SYSTEM/new", 0644, "new"), ITEM_END};
	char paths[2][64];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(command, sizeof(command), "echo /new >%s/kept", folder);
	ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c) */
	(void)snprintf(paths[0], sizeof(paths[0]), "%s/source.zip", folder);
	(void)snprintf(paths[1], sizeof(paths[1]), "%s/target.zip", folder);
	write_firmware(paths[0], source);
	write_firmware(paths[1], target);
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		const char *arguments = exits[i].arguments;

		ck_assert_msg(run_program(folder, arguments) == exits[i].status, "update_gen %s", arguments);
		ck_assert_msg((size_of(folder, "out") > 0) == exits[i].output, "output of update_gen %s", arguments);
		ck_assert_msg((size_of(folder, "err") > 0) == exits[i].errors, "errors of update_gen %s", arguments);
	}
	ck_assert_int_gt(size_of(folder, "x.zip"), 0);
	ck_assert_int_eq(size_of(folder, "x.zip.part"), -1);
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}
END_TEST

#define LISTED "a -s source.zip -t target.zip -o x.zip"

/* Whoever reads an error must learn which file, and why. */
START_TEST(causes)
{
	static const struct {
		const char *arguments;
		const char *cause;
	} cases[] = {
		{"a -s none.zip -t target.zip -o x.zip", "none.zip: not a readable zip archive: .*: No such file"},
		{"a -s folder -t target.zip -o x.zip", "folder: not a targetfiles.zip, packed or not: no SYSTEM"},
		{"a -s source.zip -t torn.zip -o x.zip",
	         "torn.zip: not a readable zip archive: SYSTEM/new: ZIP bad CRC"},
		{LISTED " --lists none", "none: no folder of lists: No such file"},
		{LISTED " --noota none.txt", "none.txt: cannot read the list: No such file"},
		{LISTED " --fullota list --noota list", "list:2 has it replaced, list:2 has it kept"},
		{LISTED " --chmod list", "list:2: the file mode is no octal"},
		{LISTED " --multifota list", "list:2: more than an image"},
		{"a -s source.zip -t target.zip -o none/x.zip", "cannot write none/x.zip.part: No such file"},
		{"a -s source.zip -t target.zip -o /dev/full/x.zip", "cannot write /dev/full/x.zip.part: Not a dir"},
	};
	static const struct item none[] = {ITEM_END};
	static const struct item target[] = {ITEM_NOISE("SYSTEM/new", 50000, 0), ITEM_END};
	char folder[] = "/tmp/test_gentools.XXXXXX";
	char text[512];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(text, sizeof(text), "%s/source.zip", folder);
	write_firmware(text, none);
	(void)snprintf(text, sizeof(text), "%s/target.zip", folder);
	write_firmware(text, target);
	(void)snprintf(text, sizeof(text),
	               "cd %s && mkdir folder && cp target.zip torn.zip && printf X | dd of=torn.zip bs=1 seek=20000 "
	               "conv=notrunc status=none && printf '#\\n/new 999 0 0\\n' >list",
	               folder);
	ck_assert_int_eq(system(text), 0); /* NOLINT(cert-env33-c) */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(run_program(folder, cases[i].arguments), 1);
		(void)snprintf(text, sizeof(text), "cd %s && grep -q '%s' err || { cat err; false; }", folder,
		               cases[i].cause);
		ck_assert_msg(system(text) == 0, "no \"%s\"", cases[i].cause); /* NOLINT(cert-env33-c) */
		ck_assert_int_eq(size_of(folder, "x.zip"), -1);
	}
	(void)snprintf(text, sizeof(text), "rm -r %s", folder);
	ck_assert_int_eq(system(text), 0); /* NOLINT(cert-env33-c) */
}
END_TEST

START_TEST(letters)
{
	unsigned chosen = 0;

	ck_assert_int_eq(gen_parse_parts("ml", &chosen), 0);
	ck_assert_uint_eq(chosen, GEN_MODEM | GEN_LINUX);
	ck_assert_int_eq(gen_parse_parts("o", &chosen), 0);
	ck_assert_uint_eq(chosen, GEN_MODEM | GEN_LINUX | GEN_KERNEL);
	ck_assert_int_eq(gen_parse_parts("a", &chosen), 0);
	ck_assert_uint_eq(chosen, GEN_ALL);
	ck_assert_int_lt(gen_parse_parts("", &chosen), 0);
	ck_assert_int_lt(gen_parse_parts("A", &chosen), 0);
	ck_assert_int_lt(gen_parse_parts("a b", &chosen), 0);
}
END_TEST

TCase *program_tests(void)
{
	TCase *tests = tcase_create("program");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, exit_codes);
	tcase_add_test(tests, causes);
	tcase_add_test(tests, letters);
	return tests;
}
