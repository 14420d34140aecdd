/* SPDX-License-Identifier: Apache-2.0 */
/* The three programs as people and scripts call them. */
#include "world.h"

#include "tests/package/craft.h"
#include "tests/package/signing.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static struct world w;
static struct versions v;
static char output[16384]; /* standard output and error of the last program */

static void setup(void)
{
	world_start(&w);
	versions_make(&v, 4000, 4100, 5);
	world_put(&w, "/work/old", v.old_data, v.old_size);
	world_put(&w, "/work/patch", v.patch, v.patch_size);
}

static void teardown(void)
{
	versions_free(&v);
	world_end(&w);
}

/* Runs a shell command in the world's directory with $B and $ROOT set; returns its exit status. */
static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int run(const char *format, ...)
{
	char command[4096];
	va_list args;
	size_t used;
	FILE *pipe;
	int status;

	used = (size_t)snprintf(command, sizeof(command), "exec 2>&1; cd %s; B=%s; ", w.root, PROGRAMS);
	va_start(args, format);
	(void)vsnprintf(command + used, sizeof(command) - used, format, args);
	va_end(args);
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	used = fread(output, 1, sizeof(output) - 1, pipe);
	output[used] = '\0';
	status = pclose(pipe);
	ck_assert_msg(WIFEXITED(status), "%s", output);
	return WEXITSTATUS(status);
}

static void expect_output(const char *text)
{
	ck_assert_msg(strstr(output, text) != NULL, "\"%s\" is not in: %s", text, output);
}

/* A package beside the root's directories. */
static void put_package(const char *script)
{
	struct craft zip;

	craft_start(&zip);
	craft_add_text(&zip, "first", "");
	if (script)
		craft_add_text(&zip, PACKAGE_SCRIPT, script);
	craft_add(&zip, "p", CRAFT_STORED, v.patch, v.patch_size, 0100644);
	craft_finish(&zip, NULL, 0);
	world_put(&w, "/work/update.zip", zip.bytes, zip.size);
	craft_free(&zip);
}

/* ---- updater ---- */

START_TEST(test_updater_exit_codes)
{
	put_package("ui_print(\"hello\")");
	ck_assert_int_eq(run("$B/updater"), UPDATER_USAGE);
	expect_output("usage: updater");
	ck_assert_int_eq(run("$B/updater --help"), UPDATER_OK);
	expect_output("retry");
	ck_assert_int_eq(run("$B/updater --no-such 3 1 work/update.zip"), UPDATER_USAGE);
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/update.zip again"), UPDATER_USAGE);
	ck_assert_int_eq(run("$B/updater --root . 3 77 work/update.zip"), UPDATER_USAGE);
	ck_assert_int_eq(run("$B/updater --root . 3 x work/update.zip"), UPDATER_USAGE);
	ck_assert_int_eq(run("$B/updater --root . 4 1 work/update.zip"), UPDATER_VERSION);
	ck_assert_int_eq(run("$B/updater --root . 31 1 work/update.zip"), UPDATER_VERSION);
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/none.zip"), UPDATER_PACKAGE);
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/old"), UPDATER_PACKAGE);
	for (int version = 1; version <= 3; version++)
		ck_assert_int_eq(run("$B/updater --root . %d 1 work/update.zip", version), UPDATER_OK);
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/update.zip retry"), UPDATER_OK);
	ck_assert_int_eq(run("$B/updater --root ./none 3 1 work/update.zip"), UPDATER_ABORT);
	put_package(NULL);
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/update.zip"), UPDATER_NO_SCRIPT);
	put_package("ui_print(");
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/update.zip"), UPDATER_PARSE);
	put_package("abort(\"no\")");
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/update.zip"), UPDATER_ABORT);
}
END_TEST

/* Read where it lies: the package is plain nowhere. */
START_TEST(test_updater_encrypted)
{
	char package[256], private_path[256], public_path[256];

	ck_assert_int_eq(run("mkdir work/keys work/none"), 0);
	(void)snprintf(package, sizeof(package), "%s/work/update.zip", w.root);
	(void)snprintf(private_path, sizeof(private_path), "%s/work/keys/a.key", w.root);
	(void)snprintf(public_path, sizeof(public_path), "%s/work/a.pub", w.root);
	signing_write_crypt_pair(private_path, public_path);
	put_package("ui_print(\"hello\"); assert(package_extract_file(\"p\", \"/work/extracted\"))");
	ck_assert_int_eq(run("$B/updater --root . --keys work/keys 3 1 work/update.zip"), UPDATER_OK);
	signing_encrypt_file(public_path, package);
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/update.zip"), UPDATER_PACKAGE);
	expect_output("none of 0 keys");
	ck_assert_int_eq(run("$B/updater --root . --keys work/none 3 1 work/update.zip"), UPDATER_PACKAGE);
	ck_assert_int_eq(run("rm work/extracted; $B/updater --root . --keys work/keys 3 1 work/update.zip"),
	                 UPDATER_OK);
	expect_output("hello");
	ck_assert_int_eq(run("cmp work/extracted work/patch"), 0);
}
END_TEST

START_TEST(test_updater_pipe)
{
	put_package(
		"show_progress(0.5, 3); ui_print(\"hello\"); set_progress(1); stdout(\"to the log\"); abort(\"why\")");
	ck_assert_int_eq(run("$B/updater --root . 3 5 work/update.zip 5>pipe"), UPDATER_ABORT);
	expect_output("to the log");
	expect_output("script aborted at 1:82: why");
	world_expect_text(&w, "/pipe",
	                  "progress 0.500000 3\nui_print hello\nui_print\nset_progress 1.000000\n"
	                  "ui_print why\nui_print\nlog error: 510\nlog cause: why\n");
	ck_assert_int_eq(run("$B/updater --root ./none 3 5 work/update.zip 5>pipe"), UPDATER_ABORT);
	world_expect_text(&w, "/pipe", "log error: 502\n");
}
END_TEST

/* "retry" is what makes the journal count. */
START_TEST(test_updater_retry)
{
	char script[1024];

	put_package(versions_script(&v, "/work/old", script));
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/update.zip"), UPDATER_OK);
	expect_output("/work/old: now ");
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/update.zip retry"), UPDATER_OK);
	expect_output("says the journal");
	expect_output("read 0 bytes to see what objects hold");
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/update.zip"), UPDATER_OK);
	ck_assert_ptr_null(strstr(output, "says the journal"));
	expect_output("read 4100 bytes to see what objects hold");
}
END_TEST

/* Recovery that died does not take the update with it. */
START_TEST(test_updater_without_listener)
{
	put_package("ui_print(\"a\"); ui_print(\"b\"); delete(\"/work/old\"); ui_print(\"c\")");
	/* A pipe without a reader: the one that opened it has closed its end. */
	ck_assert_int_eq(run("mkfifo pipe; exec 6<>pipe; exec 5>pipe; exec 6>&-; "
	                     "$B/updater --root . 3 5 work/update.zip"),
	                 UPDATER_OK);
	ck_assert(!world_exists(&w, "/work/old"));
}
END_TEST

START_TEST(test_updater_patches_partition)
{
	static char image[65536];
	char script[1024];
	char name[256];
	char *found;
	size_t size;

	memcpy(image, v.old_data, v.old_size);
	world_put(&w, "/dev/boot", image, sizeof(image));
	(void)snprintf(name, sizeof(name), "MTD:boot:%zu:%s:%zu:%s", v.old_size, v.old_sha1, v.new_size, v.new_sha1);
	put_package(versions_script(&v, name, script));
	ck_assert_int_eq(run("$B/updater --root . --dry-run 3 1 work/update.zip"), UPDATER_OK);
	world_expect(&w, "/dev/boot", image, sizeof(image));
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/update.zip"), UPDATER_OK);
	found = world_get(&w, "/dev/boot", &size);
	ck_assert_mem_eq(found, v.new_data, v.new_size);
	free(found);
	world_put_text(&w, "/dev/boot", "stranger");
	ck_assert_int_eq(run("$B/updater --root . 3 1 work/update.zip"), UPDATER_ABORT);
	expect_output("MTD:boot: expected");
}
END_TEST

/* ---- applypatch ---- */

START_TEST(test_applypatch)
{
	ck_assert_int_eq(run("cd work; $B/applypatch old new %s %zu %s:patch", v.new_sha1, v.new_size, v.old_sha1), 0);
	world_expect(&w, "/work/new", v.new_data, v.new_size);
	world_expect(&w, "/work/old", v.old_data, v.old_size);
	ck_assert_int_eq(run("cd work; $B/applypatch old new %s %zu %s:patch", v.new_sha1, v.new_size, v.old_sha1), 0);
	expect_output("already ");
	ck_assert_int_eq(run("$B/applypatch work/old - %s %zu %s:work/patch", v.new_sha1, v.new_size, v.old_sha1), 0);
	world_expect(&w, "/work/old", v.new_data, v.new_size);
	world_put_text(&w, "/work/old", "stranger");
	ck_assert_int_eq(run("$B/applypatch work/old - %s %zu %s:work/patch", v.new_sha1, v.new_size, v.old_sha1), 1);
	expect_output("work/old: expected");
	ck_assert_int_eq(run("$B/applypatch work/old - %s %zu %s:work/none", v.new_sha1, v.new_size, v.old_sha1), 1);
	ck_assert_int_eq(run("$B/applypatch --root . /work/none - %s 5 %s:/work/patch", v.new_sha1, v.old_sha1), 1);
}
END_TEST

START_TEST(test_applypatch_in_place)
{
	char names[512];
	uint8_t part[5 * 1024];

	versions_make_in_place(&v, 1024);
	world_put(&w, "/work/patch", v.patch, v.patch_size);
	memset(part, 0xff, sizeof(part));
	memcpy(part, v.old_data, v.old_size);
	memcpy(part + 2048, v.new_data + 2048, 1024);
	world_put(&w, "/dev/part", part, sizeof(part));
	(void)snprintf(names, sizeof(names), "UBI:part:%zu:%s", v.old_size, v.old_sha1);
	ck_assert_int_eq(run("$B/applypatch --root . -c %s %s", names, v.new_sha1), 1);
	expect_output("UBI:part: expected");
	ck_assert_int_eq(run("$B/applypatch --root . -c %s %s /work/patch", names, v.new_sha1), 0);
	expect_output("every unit of it is old or new");
	ck_assert_int_eq(
		run("$B/applypatch --root . %s - %s %zu %s:/work/patch", names, v.new_sha1, v.new_size, v.old_sha1), 0);
	expect_output("4 units of 1024 bytes to write, 1 written before");
	memcpy(part, v.new_data, v.new_size);
	world_expect(&w, "/dev/part", part, sizeof(part));
	part[100] ^= 1;
	world_put(&w, "/dev/part", part, sizeof(part));
	ck_assert_int_eq(run("$B/applypatch --root . -c %s %s /work/patch", names, v.new_sha1), 1);
	expect_output("UBI:part: LEB 0 ");
	ck_assert_int_eq(run("$B/applypatch --root . -c %s %s /work/old", names, v.new_sha1), 1);
}
END_TEST

START_TEST(test_applypatch_usage)
{
	ck_assert_int_eq(run("$B/applypatch"), 2);
	expect_output("usage: applypatch");
	ck_assert_int_eq(run("$B/applypatch --help"), 0);
	ck_assert_int_eq(run("$B/applypatch work/old - %s 5", v.new_sha1), 2);
	ck_assert_int_eq(run("$B/applypatch work/old - nodigest 5 %s:work/patch", v.old_sha1), 2);
	ck_assert_int_eq(run("$B/applypatch work/old - %s five %s:work/patch", v.new_sha1, v.old_sha1), 2);
	ck_assert_int_eq(run("$B/applypatch work/old - %s 5 %s", v.new_sha1, v.old_sha1), 2);
	ck_assert_int_eq(run("$B/applypatch work/old - %s 5 junk:work/patch", v.new_sha1), 2);
	ck_assert_int_eq(run("$B/applypatch -c"), 2);
	ck_assert_int_eq(run("$B/applypatch -c work/old junk"), 2);
	ck_assert_int_eq(run("$B/applypatch -s"), 2);
	ck_assert_int_eq(run("$B/applypatch -s many"), 2);
	ck_assert_int_eq(run("$B/applypatch -s -5"), 2);
}
END_TEST

START_TEST(test_applypatch_check_and_space)
{
	ck_assert_int_eq(run("$B/applypatch -c work/old"), 0);
	ck_assert_int_eq(run("$B/applypatch -c work/old %s %s", v.new_sha1, v.old_sha1), 0);
	ck_assert_int_eq(run("$B/applypatch -c work/old %s", v.new_sha1), 1);
	expect_output(v.old_sha1);
	ck_assert_int_eq(run("$B/applypatch -c work/none"), 1);
	ck_assert_int_eq(run("$B/applypatch --root . -c EMMC:/work/old:%zu:%s", v.old_size, v.old_sha1), 0);
	ck_assert_int_eq(run("$B/applypatch --root . -s 1"), 0);
	ck_assert_int_eq(run("$B/applypatch --root . -s 18446744073709551615"), 1);
}
END_TEST

/* ---- edify ---- */

START_TEST(test_edify_check)
{
	world_put_text(&w, "/work/good", "mount(\"ubifs\",\"UBI\",\"system\",\"/system\");\nui_print(\"x\");\n");
	world_put_text(&w, "/work/bad", "ui_print(\"x\");\n\n  frobnicate(\"x\");\nmount(\"a\");\n");
	ck_assert_int_eq(run("$B/edify check work/good"), 0);
	ck_assert_str_eq(output, "");
	ck_assert_int_eq(run("$B/edify check work/bad"), 1);
	expect_output("work/bad:3:3: unknown function \"frobnicate\"\n");
	expect_output("work/bad:4:1: mount()");
	ck_assert_int_eq(run("$B/edify check - < work/bad"), 1);
	expect_output("-:3:3: ");
	ck_assert_int_eq(run("$B/edify check work/none"), 1);
	ck_assert_int_eq(run("$B/edify check"), 2);
}
END_TEST

START_TEST(test_edify_eval)
{
	ck_assert_int_eq(
		run("$B/edify eval 'concat(\"a\", if is_substring(\"b\",\"abc\") then \"x\" else \"y\" endif)'"), 0);
	ck_assert_str_eq(output, "ax\n");
	ck_assert_int_eq(run("$B/edify eval 'abort(\"stop\")' >/dev/null"), 1);
	expect_output("stop");
	ck_assert_int_eq(run("$B/edify eval 'ui_print(\"a\")'"), 1);
	expect_output("unknown function");
	ck_assert_int_eq(run("$B/edify eval"), 2);
}
END_TEST

START_TEST(test_edify_functions)
{
	ck_assert_int_eq(run("$B/edify functions"), 0);
	expect_output("apply_patch (6 or more, even)\n");
	expect_output("mount (4 to 5)\n");
	expect_output("ifelse (");
	ck_assert_int_eq(run("$B/edify"), 2);
	ck_assert_int_eq(run("$B/edify --help"), 0);
}
END_TEST

Suite *suite_programs(void)
{
	Suite *suite = suite_create("programs");
	TCase *tc = tcase_create("programs");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_updater_exit_codes);
	tcase_add_test(tc, test_updater_encrypted);
	tcase_add_test(tc, test_updater_pipe);
	tcase_add_test(tc, test_updater_retry);
	tcase_add_test(tc, test_updater_without_listener);
	tcase_add_test(tc, test_updater_patches_partition);
	tcase_add_test(tc, test_applypatch);
	tcase_add_test(tc, test_applypatch_in_place);
	tcase_add_test(tc, test_applypatch_usage);
	tcase_add_test(tc, test_applypatch_check_and_space);
	tcase_add_test(tc, test_edify_check);
	tcase_add_test(tc, test_edify_eval);
	tcase_add_test(tc, test_edify_functions);
	suite_add_tcase(suite, tc);
	return suite;
}
