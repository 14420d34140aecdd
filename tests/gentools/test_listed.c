/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct item no_items[] = {ITEM_END};

/* A package with lists; every one that is made is also tried out on a model of the module by the generator itself. */
static void start(struct run *run, const struct item *source, const struct item *target, const char *const *lists)
{
	run_start_listed(run, "a", source, target, lists);
	ck_assert_msg(run->result == 0, "%s", run->error.message);
}

static bool is_logged(const struct run *run, const char *text)
{
	return strstr(run->log, text) != NULL;
}

/* The module may have any content there: nothing is checked, nothing patched, also where the versions are equal. */
START_TEST(fullota_replaces)
{
	static const char *const lists[GEN_LISTS] = {[GEN_FULLOTA] = "/etc/changed\nSYSTEM/bin/same\n/opt/*.so\n/ln\n"};
	static const struct item source[] = {ITEM_NOISE("SYSTEM/etc/changed", 5000, 1),
	                                     ITEM_NOISE("SYSTEM/etc/patched", 5000, 1),
	                                     ITEM_DIR("SYSTEM/opt"),
	                                     ITEM_NOISE("SYSTEM/opt/a.so", 5000, 1),
	                                     ITEM_NOISE("SYSTEM/opt/b.so.1", 5000, 1),
	                                     ITEM_LINK("SYSTEM/ln", "x"),
	                                     ITEM_END};
	static const struct item target[] = {ITEM_NOISE("SYSTEM/etc/changed", 5000, 2),
	                                     ITEM_NOISE("SYSTEM/etc/patched", 5000, 2),
	                                     ITEM_DIR("SYSTEM/opt"),
	                                     ITEM_NOISE("SYSTEM/opt/a.so", 5000, 2),
	                                     ITEM_NOISE("SYSTEM/opt/b.so.1", 5000, 2),
	                                     ITEM_LINK("SYSTEM/ln", "x"),
	                                     ITEM_END};
	static const char *const whole[] = {"etc/changed", "bin/same", "opt/a.so"};
	static const char *const patched[] = {"etc/patched", "opt/b.so.1"};
	char text[64];
	struct run run;

	start(&run, source, target, lists);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(text, sizeof(text), "system/%s", whole[i]);
		ck_assert_msg(has_entry(&run, text), "%s", text);
		(void)snprintf(text, sizeof(text), "apply_patch_check(/system/%s,", whole[i]);
		ck_assert_int_eq(find_call(&run, text), -1);
		(void)snprintf(text, sizeof(text), "apply_patch(/system/%s,", whole[i]);
		ck_assert_int_eq(find_call(&run, text), -1);
		(void)snprintf(text, sizeof(text), "set_metadata(/system/%s,", whole[i]);
		ck_assert_int_ge(find_call(&run, text), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(text, sizeof(text), "system/%s", patched[i]);
		ck_assert(!has_entry(&run, text));
		(void)snprintf(text, sizeof(text), "apply_patch(/system/%s,", patched[i]);
		ck_assert_int_ge(find_call(&run, text), 0);
	}
	ck_assert(has_call(&run, "symlink(x,/system/ln)"));
	ck_assert_int_eq(find_call(&run, "apply_patch_check(/system/ln"), -1);
	run_end(&run);
}
END_TEST

/* Written whole or not: what tells the version changes behind all other files. */
START_TEST(fullota_of_the_version)
{
	static const char *const lists[GEN_LISTS] = {[GEN_FULLOTA] = "/etc/quectel-project-version\n/zzz\n"};
	static const struct item target[] = {
		ITEM_FILE("SYSTEM/etc/quectel-project-version", 0644, "Project Rev : two\n"),
		ITEM_FILE("SYSTEM/zzz", 0644, "z"), ITEM_LINK("SYSTEM/zzzz", "z"), ITEM_END};
	static const char late[] = "package_extract_file(late/system/etc/quectel-project-version,"
				   "/system/etc/quectel-project-version)\n"
				   "set_progress(1.000)\n"
				   "set_metadata(/system/etc/quectel-project-version,uid,0,gid,0,mode,0644)\n"
				   "unmount(/system)\n";
	struct run run;

	start(&run, no_items, target, lists);
	ck_assert(has_entry(&run, "system/zzz"));
	ck_assert(!has_entry(&run, "system/etc/quectel-project-version"));
	ck_assert_ptr_nonnull(strstr(run.calls, late));
	run_end(&run);
}
END_TEST

START_TEST(fullota_of_images)
{
	static const char *const lists[GEN_LISTS] = {[GEN_FULLOTA] = "BOOTABLE_IMAGES/boot.img\nMULTIFOTA/tz.mbn\n"};
	static const struct item source[] = {ITEM_NOISE("BOOTABLE_IMAGES/boot.img", 5000, 1),
	                                     ITEM_FILE("MULTIFOTA/tz.mbn", 0644, "t"),
	                                     ITEM_NOISE("MULTIFOTA/abl.elf", 5000, 1), ITEM_END};
	static const struct item target[] = {ITEM_NOISE("BOOTABLE_IMAGES/boot.img", 5000, 2),
	                                     ITEM_FILE("MULTIFOTA/tz.mbn", 0644, "t"),
	                                     ITEM_NOISE("MULTIFOTA/abl.elf", 5000, 2), ITEM_END};
	struct run run;

	start(&run, source, target, lists);
	ck_assert(has_call(&run, "write_raw_image(images/boot.img,boot)"));
	ck_assert(has_call(&run, "write_raw_image(images/tz.mbn,tz)"));
	ck_assert_int_ge(find_call(&run, "apply_patch(MTD:abl:"), 0);
	ck_assert_int_eq(find_call(&run, "apply_patch(MTD:boot:"), -1);
	run_end(&run);
}
END_TEST

static const char *const keep_lists[GEN_LISTS] = {
	[GEN_NOOTA] = "SYSTEM/etc/webui/test.cfg\n\n/opt/app/\n/var/*.db\n/bin/same\n/etc/mode\nMULTIFOTA/abl.elf\n"};
static const struct item keep_source[] = {ITEM_DIR("SYSTEM/etc/webui"),
                                          ITEM_FILE("SYSTEM/etc/webui/test.cfg", 0644, "old"),
                                          ITEM_FILE("SYSTEM/etc/webui/gone", 0644, "old"),
                                          ITEM_FILE("SYSTEM/etc/mode", 0644, "m"),
                                          ITEM_DIR("SYSTEM/opt"),
                                          ITEM_DIR("SYSTEM/opt/app"),
                                          ITEM_FILE("SYSTEM/opt/app/a", 0644, "old"),
                                          ITEM_LINK("SYSTEM/opt/app/l", "old"),
                                          ITEM_DIR("SYSTEM/var"),
                                          ITEM_FILE("SYSTEM/var/a.db", 0644, "old"),
                                          ITEM_NOISE("MULTIFOTA/abl.elf", 5000, 1),
                                          ITEM_END};
static const struct item keep_target[] = {ITEM_DIR("SYSTEM/etc/webui"),
                                          ITEM_FILE("SYSTEM/etc/webui/test.cfg", 0644, "new"),
                                          ITEM_FILE("SYSTEM/etc/mode", 0600, "m"),
                                          ITEM_FILE("SYSTEM/other", 0600, "o"),
                                          ITEM_DIR("SYSTEM/opt"),
                                          ITEM_FILE("SYSTEM/opt/app", 0644, "now a file"),
                                          ITEM_DIR("SYSTEM/var"),
                                          ITEM_FILE("SYSTEM/var/a.db", 0644, "new"),
                                          ITEM_FILE("SYSTEM/var/b.db", 0644, "new"),
                                          ITEM_NOISE("MULTIFOTA/abl.elf", 5000, 2),
                                          ITEM_END};

START_TEST(noota_keeps)
{
	static const char *const untouched[] = {"test.cfg", "opt", "var", "/mode", "abl", "same"};
	struct run run;

	start(&run, keep_source, keep_target, keep_lists);
	for (size_t i = 0; i < sizeof(untouched) / sizeof(untouched[0]); i++)
		ck_assert_msg(!strstr(run.calls, untouched[i]), "%s in:\n%s", untouched[i], run.calls);
	ck_assert(has_call(&run, "delete(/system/etc/webui/gone)"));
	ck_assert(has_entry(&run, "system/other"));
	for (uint32_t i = 0; i < package_count(run.package); i++) {
		struct package_entry entry;

		ck_assert_int_eq(package_entry(run.package, i, &entry, &run.error), 0);
		for (size_t k = 0; k < sizeof(untouched) / sizeof(untouched[0]); k++)
			ck_assert_msg(!strstr(entry.name, untouched[k]), "%s", entry.name);
	}
	run_end(&run);
}
END_TEST

/* That a new version of a file does not reach the modules must not go unseen. */
START_TEST(noota_tells_what_stays_old)
{
	static const char *const lines[] = {
		"noota SYSTEM/etc/webui/test.cfg: changed in the target, stays on the module as it is (",
		"/list1:1)\n",
		"noota SYSTEM/opt/app: something else in the target, stays",
		"noota SYSTEM/opt/app/a: the target no longer has it, stays",
		"noota SYSTEM/var/b.db: new in the target, and not installed, stays",
		"noota SYSTEM/etc/mode: of another mode or owner in the target, stays",
		"noota MULTIFOTA/abl.elf: changed in the target, stays",
		"noota: objects kept on the module: 9; of these the target has otherwise: 8, which",
	};
	struct run run;

	start(&run, keep_source, keep_target, keep_lists);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_msg(is_logged(&run, lines[i]), "no \"%s\" in:\n%s", lines[i], run.log);
	ck_assert(!is_logged(&run, "warning:"));
	ck_assert(!is_logged(&run, "noota SYSTEM/bin/same"));
	run_end(&run);
	/* What is not upgraded at all is not kept by a list. */
	run_start_listed(&run, "o", keep_source, keep_target, keep_lists);
	ck_assert_int_eq(run.result, -ENODATA);
	ck_assert(!is_logged(&run, "noota SYSTEM"));
	run_end(&run);
}
END_TEST

START_TEST(noota_of_all_that_differs)
{
	static const char *const lists[GEN_LISTS] = {[GEN_NOOTA] = "/new\n"};
	static const struct item target[] = {ITEM_FILE("SYSTEM/new", 0644, "n"), ITEM_END};
	struct run run;

	run_start_listed(&run, "a", no_items, target, lists);
	ck_assert_int_eq(run.result, -ENODATA);
	ck_assert(is_logged(&run, "noota: objects kept on the module: 1; of these the target has otherwise: 1, which"));
	run_end(&run);
}
END_TEST

/* A folder goes with all in it, except for what is kept; also for what only modules have, of which no version knows. */
START_TEST(noota_in_a_folder_that_goes)
{
	static const char *const lists[GEN_LISTS] = {[GEN_NOOTA] = "/a/b/kept\n/u/*.user\n/n/new\n"};
	static const struct item source[] = {ITEM_DIR("SYSTEM/a"),
	                                     ITEM_FILE("SYSTEM/a/f", 0644, "f"),
	                                     ITEM_DIR("SYSTEM/a/b"),
	                                     ITEM_FILE("SYSTEM/a/b/kept", 0644, "k"),
	                                     ITEM_FILE("SYSTEM/a/b/other", 0644, "o"),
	                                     ITEM_DIR("SYSTEM/a/c"),
	                                     ITEM_FILE("SYSTEM/a/c/x", 0644, "x"),
	                                     ITEM_DIR("SYSTEM/u"),
	                                     ITEM_FILE("SYSTEM/u/f", 0644, "f"),
	                                     ITEM_FILE("SYSTEM/n", 0644, "n"),
	                                     ITEM_END};
	static const struct item target[] = {ITEM_DIR("SYSTEM/n"), ITEM_FILE("SYSTEM/n/new", 0644, "n"), ITEM_END};
	struct run run;

	start(&run, source, target, lists);
	ck_assert(has_call(&run, "delete_recursive(/system/a/c)"));
	ck_assert(has_call(&run, "delete_recursive(/system/n)"));
	ck_assert(has_call(&run, "delete(/system/a/b/other,/system/a/f,/system/u/f)"));
	ck_assert(!strstr(run.calls, "kept"));
	ck_assert(!has_entry(&run, "system/n/new"));
	ck_assert(has_entry(&run, "system/n"));
	ck_assert(is_logged(&run, "noota SYSTEM/u: gone in the target, stays for what is kept in it ("));
	ck_assert(is_logged(&run, "list1:2: SYSTEM/u/*.user is in neither version\n"));
	run_end(&run);
}
END_TEST

START_TEST(noota_of_the_version)
{
	static const char *const lists[GEN_LISTS] = {[GEN_NOOTA] = "/etc/quectel-project-version\n"};
	static const struct item target[] = {
		ITEM_FILE("SYSTEM/etc/quectel-project-version", 0644, "Project Rev : two\n"),
		ITEM_FILE("SYSTEM/new", 0644, "n"), ITEM_END};
	struct run run;
	size_t size;
	char *text;

	start(&run, no_items, target, lists);
	ck_assert_int_eq(package_load(run.package, PACKAGE_TARGET_VERSION, 100, &text, &size, NULL), 0);
	ck_assert_str_eq(text, "Project Rev : one\n");
	free(text);
	run_end(&run);
}
END_TEST

/* Mode and owner go over the target's, and are set where both versions agree: modules may have drifted. */
START_TEST(chmod_sets)
{
	static const char *const lists[GEN_LISTS] = {
		[GEN_CHMOD] = "# all\n/app/ 640 5 6 750\n/app/run 755 0 0\n/bin/same 700 1 2\n/lib 600 3 4\n/etc/p\n",
	};
	static const struct item source[] = {ITEM_NOISE("SYSTEM/etc/p", 5000, 1), ITEM_FILE("SYSTEM/gone", 0644, ""),
	                                     ITEM_END};
	static const struct item target[] = {ITEM_DIR("SYSTEM/app"),
	                                     ITEM_DIR("SYSTEM/app/sub"),
	                                     ITEM_FILE("SYSTEM/app/sub/f", 0777, "f"),
	                                     ITEM_LINK("SYSTEM/app/sub/l", "f"),
	                                     ITEM_FILE("SYSTEM/app/run", 0600, "r"),
	                                     ITEM_NOISE("SYSTEM/etc/p", 5000, 2),
	                                     ITEM_END};
	static const char *const calls[] = {
		"set_metadata(/system/app,uid,5,gid,6,mode,0750)",
		"set_metadata(/system/app/sub,uid,5,gid,6,mode,0750)",
		"set_metadata(/system/app/sub/f,uid,5,gid,6,mode,0640)",
		"set_metadata(/system/app/sub/l,uid,5,gid,6)",
		"set_metadata(/system/app/run,uid,0,gid,0,mode,0755)",
		"set_metadata(/system/bin/same,uid,1,gid,2,mode,0700)",
		"set_metadata(/system/lib,uid,3,gid,4)",
		"set_metadata(/system/etc/p,uid,0,gid,0,mode,0755)",
	};
	struct run run;

	start(&run, source, target, lists);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		ck_assert_msg(has_call(&run, calls[i]), "no %s in\n%s", calls[i], run.calls);
	ck_assert(!is_logged(&run, "warning:"));
	run_end(&run);
	start(&run, target, target, lists);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		ck_assert_msg(has_call(&run, calls[i]), "no %s in\n%s", calls[i], run.calls);
	run_end(&run);
}
END_TEST

START_TEST(chmod_without_effect)
{
	static const char *const lists[GEN_LISTS] = {
		[GEN_CHMOD] = "/etc\n/bin/same/\n/gone\n/bin/non\n/kept/ 600 0 0 700\n/new\n",
		[GEN_NOOTA] = "/kept/f\n",
	};
	static const struct item source[] = {ITEM_FILE("SYSTEM/gone", 0644, ""), ITEM_DIR("SYSTEM/kept"),
	                                     ITEM_FILE("SYSTEM/kept/f", 0644, ""), ITEM_END};
	static const struct item target[] = {ITEM_DIR("SYSTEM/kept"), ITEM_FILE("SYSTEM/kept/f", 0644, ""),
	                                     ITEM_FILE("SYSTEM/new", 0644, ""), ITEM_END};
	struct run run;

	start(&run, source, target, lists);
	ck_assert(is_logged(&run, "list2:1: not done: SYSTEM/etc is a folder,"));
	ck_assert(is_logged(&run, "list2:2: not done: SYSTEM/bin/same is no folder,"));
	ck_assert(!is_logged(&run, "list2:3:"));
	ck_assert(is_logged(&run, "list2:4: SYSTEM/bin/non is in neither version\n"));
	ck_assert(is_logged(&run, "list2:5: not done for SYSTEM/kept/f, which "));
	ck_assert_int_eq(find_call(&run, "set_metadata(/system/etc,"), -1);
	ck_assert_int_eq(find_call(&run, "set_metadata(/system/bin/same,"), -1);
	ck_assert_int_eq(find_call(&run, "set_metadata(/system/kept/f,"), -1);
	ck_assert(has_call(&run, "set_metadata(/system/kept,uid,0,gid,0,mode,0700)"));
	run_end(&run);
}
END_TEST

START_TEST(multifota_chooses)
{
	static const char *const lists[GEN_LISTS] = {[GEN_MULTIFOTA] = "abl.elf\ntz.mbn tz_b\nnon.mbn\n"};
	static const struct item source[] = {ITEM_NOISE("MULTIFOTA/abl.elf", 5000, 1),
	                                     ITEM_NOISE("MULTIFOTA/tz.mbn", 5000, 1),
	                                     ITEM_NOISE("MULTIFOTA/aop.mbn", 5000, 1), ITEM_END};
	static const struct item target[] = {
		ITEM_NOISE("MULTIFOTA/abl.elf", 5000, 2), ITEM_NOISE("MULTIFOTA/tz.mbn", 5000, 2),
		ITEM_NOISE("MULTIFOTA/aop.mbn", 5000, 2), ITEM_FILE("MULTIFOTA/x.mbn", 0644, "x"), ITEM_END};
	struct run run;

	start(&run, source, target, lists);
	ck_assert_int_ge(find_call(&run, "apply_patch(MTD:abl:"), 0);
	ck_assert_int_ge(find_call(&run, "apply_patch_check(MTD:tz_b:"), 0);
	ck_assert_int_ge(find_call(&run, "apply_patch(MTD:tz_b:"), 0);
	ck_assert_ptr_null(strstr(run.calls, "MTD:tz:"));
	ck_assert_ptr_null(strstr(run.calls, "aop"));
	ck_assert_int_eq(find_call(&run, "write_raw_image("), -1);
	ck_assert(is_logged(&run, "keep MULTIFOTA/aop.mbn: its partition stays as it is, "));
	ck_assert(is_logged(&run, "list3:3: MULTIFOTA/non.mbn is in neither version\n"));
	run_end(&run);
}
END_TEST

/* What must not make a package, and what its error names. */
static const struct {
	const char *lists[GEN_LISTS];
	struct item target[4];
	const char *causes[3];
} refused[] = {
	{{[GEN_FULLOTA] = "\n/bin/same\n", [GEN_NOOTA] = "/bin/same\n"},
         {ITEM_END},
         {"SYSTEM/bin/same: ", "/list0:2 has it replaced, ", "/list1:1 has it kept"}},
	{{[GEN_FULLOTA] = "/bin/\n", [GEN_NOOTA] = "/x\n/*/sa*\n"},
         {ITEM_END},
         {"SYSTEM/bin/same: ", "/list0:1 has", "/list1:2 has"}},
	{{[GEN_FULLOTA] = "/opt/new\n", [GEN_NOOTA] = "/opt/\n"},
         {ITEM_END},
         {"SYSTEM/opt/new: ", "/list0:1 has", "/list1:1 has"}},
	{{[GEN_NOOTA] = "/bin/same\n"},
         {ITEM_NONE("SYSTEM/bin/same"), ITEM_FILE("SYSTEM/bin", 0755, "b"), ITEM_END},
         {"SYSTEM/bin: ", "/list1:1 keeps what is in it, ", "no folder in the target"}},
	{{[GEN_CHMOD] = "#\n/bin/same 755 0 0\n", [GEN_NOOTA] = "/bin\n"},
         {ITEM_END},
         {"SYSTEM/bin/same: ", "/list2:2 sets its mode, ", "/list1:1 has it kept: take one"}},
	{{[GEN_MULTIFOTA] = "a.mbn\n", [GEN_NOOTA] = "\nMULTIFOTA/*\n"},
         {ITEM_END},
         {"MULTIFOTA/a.mbn: ", "/list3:1 has it upgraded, ", "/list1:2 has it kept: take one"}},
	{{[GEN_MULTIFOTA] = "a.mbn x\n\na.mbn\n"},
         {ITEM_END},
         {"MULTIFOTA/a.mbn: ", "/list3:1 has one partition for it, ", "/list3:3 another one: take one"}},
	{{[GEN_CHMOD] = "/bin/same 788 0 0\n"}, {ITEM_END}, {"/list2:1: ", "file mode", "octal"}},
	{{[GEN_MULTIFOTA] = "a.mbn x\nb.mbn x\n"},
         {ITEM_FILE("MULTIFOTA/a.mbn", 0644, "a"), ITEM_FILE("MULTIFOTA/b.mbn", 0644, "b"), ITEM_END},
         {"MULTIFOTA/a.mbn", "MULTIFOTA/b.mbn", "same partition"}},
};

START_TEST(refuses)
{
	struct run run;

	run_start_listed(&run, "a", no_items, refused[_i].target, refused[_i].lists);
	ck_assert_int_eq(run.result, -EINVAL);
	for (size_t i = 0; i < 3; i++)
		ck_assert_msg(strstr(run.error.message, refused[_i].causes[i]) != NULL, "%s", run.error.message);
	run_end(&run);
}
END_TEST

TCase *listed_tests(void)
{
	TCase *tests = tcase_create("listed");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, fullota_replaces);
	tcase_add_test(tests, fullota_of_the_version);
	tcase_add_test(tests, fullota_of_images);
	tcase_add_test(tests, noota_keeps);
	tcase_add_test(tests, noota_tells_what_stays_old);
	tcase_add_test(tests, noota_of_all_that_differs);
	tcase_add_test(tests, noota_in_a_folder_that_goes);
	tcase_add_test(tests, noota_of_the_version);
	tcase_add_test(tests, chmod_sets);
	tcase_add_test(tests, chmod_without_effect);
	tcase_add_test(tests, multifota_chooses);
	tcase_add_loop_test(tests, refuses, 0, sizeof(refused) / sizeof(refused[0]));
	return tests;
}
