/* SPDX-License-Identifier: Apache-2.0 */
/* 505 and 520 to 525: every package that is not whole, not for this system, or not to be trusted. */
#include "scene.h"
#include "suites.h"
#include "tests/package/craft.h"
#include "tests/package/signing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUNNING                                                                                                        \
	"Project Name: A\nProject Rev : A_01\nBranch Name:  X\nCustom Name: STD\nPackage Time: 2022-06-22,15:50\n"
#define SAME  "Project Name: A\r\nProject Rev: A_01\r\nBranch Name: X Custom Name: STD\r\nPackage Time:2022-06-22,15:50"
#define OTHER "Project Name: A\nProject Rev: A_02\n"

static struct scene scene;
static struct craft craft;
static struct error error;

static void setup(void)
{
	scene_open(&scene);
	craft_start(&craft);
}

static void teardown(void)
{
	craft_free(&craft);
	scene_close(&scene);
}

static int check_file(const char *path, const char *version, bool required)
{
	struct step_check check = {.version = version, .version_required = required};
	int err;

	scene_forget(&scene);
	error = (struct error){0};
	check.package = open(path, O_RDONLY);
	ck_assert_int_ge(check.package, 0);
	err = step_check(&check, &scene.output, &error);
	ck_assert_int_eq(close(check.package), 0);
	if (err) {
		ck_assert_int_lt(err, 0);
		ck_assert_int_eq(error.code, RESULT_PRECHECK);
		ck_assert_str_ne(error.message, "");
	}
	return err;
}

static int check_bytes(const void *bytes, size_t size)
{
	return check_file(scene_put(&scene, "package", bytes, size), RUNNING, true);
}

static void add_version(const char *text)
{
	if (text)
		craft_add_text(&craft, PACKAGE_PROJECT_VERSION, text);
}

/* A small package with a bit of everything. */
static void make(const char *version)
{
	uint8_t noise[300];

	craft_noise(noise, sizeof(noise));
	craft_add_text(&craft, PACKAGE_SCRIPT, "ui_print(\"x\");");
	add_version(version);
	craft_add(&craft, "patch/a", CRAFT_DEFLATED, noise, sizeof(noise), 0100644);
	craft_add_text(&craft, PACKAGE_MD5_LIST, "9dd4e461268c8034f5c8564e155c67a6  x\n");
	craft_add_text(&craft, "x", "x");
	craft_finish(&craft, NULL, 0);
}

START_TEST(test_sound)
{
	make(SAME);
	ck_assert_int_eq(check_bytes(craft.bytes, craft.size), 0);
	ck_assert_int_eq(scene.percent, 100);
	ck_assert_str_eq(scene.output.object, "");
	ck_assert_str_eq(scene.finding, "");
}
END_TEST

/* Which version it leads to is the keeper's to remember. */
START_TEST(test_target_version)
{
	craft_add_text(&craft, PACKAGE_SCRIPT, "ui_print(\"x\");");
	craft_add_text(&craft, PACKAGE_TARGET_VERSION, "Project Name: A\nProject Rev :  A_02\n");
	add_version(_i ? OTHER : SAME);
	craft_finish(&craft, NULL, 0);
	ck_assert_int_eq(check_bytes(craft.bytes, craft.size) < 0, _i != 0);
	ck_assert_str_eq(scene.finding, _i ? "" : "A_02");
}
END_TEST

START_TEST(test_every_truncation)
{
	make(SAME);
	for (size_t size = 0; size < craft.size; size++)
		ck_assert_msg(check_bytes(craft.bytes, size) < 0, "%zu bytes of %zu pass", size, craft.size);
}
END_TEST

/* A flipped bit in what an entry unpacks to never passes; elsewhere it may say nothing, like a time of change. */
START_TEST(test_bit_flips)
{
	size_t first = 0;

	make(SAME);
	for (size_t at = 0; at < craft.size; at++) {
		bool is_data = false;
		int err;

		for (unsigned i = 0; i < craft.count; i++)
			is_data = is_data || (at >= craft.data[i] &&
			                      at < (i + 1 < craft.count ? craft.local[i + 1] : craft.record[0]));
		craft.bytes[at] ^= (uint8_t)(1u << (at % 8));
		err = check_bytes(craft.bytes, craft.size);
		craft.bytes[at] ^= (uint8_t)(1u << (at % 8));
		ck_assert_msg(err < 0 || !is_data, "byte %zu may be changed", at);
		first += err < 0 && strncmp(error.message, "archive test: ", 14) == 0;
	}
	ck_assert_uint_gt(first, craft.data[craft.count - 1] - craft.data[0]);
}
END_TEST

START_TEST(test_md5_list)
{
	craft_add_text(&craft, PACKAGE_SCRIPT, "ui_print(\"x\");");
	add_version(SAME);
	craft_add_text(&craft, PACKAGE_MD5_LIST, "9dd4e461268c8034f5c8564e155c67a6  x\n");
	craft_add_text(&craft, "x", "y");
	craft_finish(&craft, NULL, 0);
	ck_assert_int_lt(check_bytes(craft.bytes, craft.size), 0);
	ck_assert_ptr_nonnull(strstr(error.message, "archive test: entry \"x\": MD5 "));
}
END_TEST

START_TEST(test_no_script)
{
	craft_add_text(&craft, "x", "y");
	add_version(SAME);
	craft_finish(&craft, NULL, 0);
	ck_assert_int_lt(check_bytes(craft.bytes, craft.size), 0);
	ck_assert_str_eq(error.message, "script: the package has no " PACKAGE_SCRIPT);
}
END_TEST

START_TEST(test_versions)
{
	static const struct {
		const char *package;
		const char *running;
		bool required;
		const char *message; /* NULL: it passes */
	} cases[] = {
		{SAME, RUNNING, true, NULL},
		{OTHER, RUNNING, true,
	         "project version: Project Rev: the package is for \"A_02\", this system is \"A_01\""},
		{OTHER, RUNNING, false,
	         "project version: Project Rev: the package is for \"A_02\", this system is \"A_01\""},
		{NULL, RUNNING, true, "project version: package has no entry \"quectel-project-version\""},
		{NULL, RUNNING, false, NULL},
		{NULL, NULL, false, NULL},
		{SAME, NULL, false, "project version: this system has none to compare the package's with"},
	};

	make(cases[_i].package);
	ck_assert_int_eq(check_file(scene_put(&scene, "package", craft.bytes, craft.size), cases[_i].running,
	                            cases[_i].required) < 0,
	                 cases[_i].message != NULL);
	ck_assert_str_eq(error.message, cases[_i].message ? cases[_i].message : "");
	ck_assert_str_eq(scene.output.object, cases[_i].message ? PACKAGE_PROJECT_VERSION : "");
}
END_TEST

/* Neither what is no text nor what is no end of it. */
START_TEST(test_odd_versions)
{
	static char large[20000];

	memset(large, 'x', sizeof(large));
	craft_add_text(&craft, PACKAGE_SCRIPT, "ui_print(\"x\");");
	if (_i)
		craft_add(&craft, PACKAGE_PROJECT_VERSION, CRAFT_DEFLATED, large, sizeof(large), 0100644);
	else
		craft_add(&craft, PACKAGE_PROJECT_VERSION, CRAFT_STORED, SAME "\0x", sizeof(SAME) + 1, 0100644);
	craft_finish(&craft, NULL, 0);
	ck_assert_int_lt(check_bytes(craft.bytes, craft.size), 0);
	ck_assert_ptr_nonnull(strstr(error.message, _i ? "20000 bytes" : "is not text"));
}
END_TEST

/* An older version is told from a damaged package, and from one for another version. */
START_TEST(test_rollback)
{
	static const struct {
		const char *package; /* NULL: no index */
		uint32_t running;
		int code;
	} cases[] = {
		{NULL, 0, RESULT_OK},      {NULL, 1, RESULT_ROLLBACK}, {"7", 7, RESULT_OK},
		{"8", 7, RESULT_OK},       {"6", 7, RESULT_ROLLBACK},  {"6", UINT32_MAX, RESULT_ROLLBACK},
		{"x", 0, RESULT_PRECHECK},
	};
	struct step_check check = {.version = RUNNING, .rollback = cases[_i].running};
	int err;

	if (cases[_i].package)
		craft_add_text(&craft, PACKAGE_ROLLBACK_INDEX, cases[_i].package);
	make(cases[_i].code == RESULT_ROLLBACK ? OTHER : SAME);
	check.package = open(scene_put(&scene, "package", craft.bytes, craft.size), O_RDONLY);
	ck_assert_int_ge(check.package, 0);
	err = step_check(&check, &scene.output, &error);
	ck_assert_int_eq(err < 0, cases[_i].code != RESULT_OK);
	ck_assert_int_eq(err < 0 ? error.code : RESULT_OK, cases[_i].code);
	ck_assert_str_eq(scene.output.object, err < 0 ? PACKAGE_ROLLBACK_INDEX : "");
	ck_assert_int_eq(close(check.package), 0);
}
END_TEST

START_TEST(test_no_file)
{
	int ends[2];
	struct step_check check = {0};

	ck_assert_int_eq(pipe(ends), 0);
	check.package = ends[0];
	ck_assert_int_lt(step_check(&check, &scene.output, &error), 0);
	ck_assert_int_eq(error.code, RESULT_PRECHECK);
	ck_assert_int_eq(close(ends[0]) + close(ends[1]), 0);
}
END_TEST

/* A signed package passes; unsigned, damaged and foreign ones are told apart, and from all other packages. */
START_TEST(test_signatures)
{
	static const int codes[] = {RESULT_OK, RESULT_UNSIGNED, RESULT_TAMPERED, RESULT_UNTRUSTED};
	char private_path[128];
	char keys[128];
	char package[128];
	struct step_check check = {.version = RUNNING, .keys = keys};
	int err;

	(void)snprintf(keys, sizeof(keys), "%s/keys", scene.root);
	(void)snprintf(private_path, sizeof(private_path), "%s/private.key", scene.root);
	make(SAME);
	(void)snprintf(package, sizeof(package), "%s", scene_put(&scene, "package", craft.bytes, craft.size));
	signing_write_pair(SIGNING_P256, private_path, scene_put_text(&scene, "keys/a.pem", ""));
	if (codes[_i] == RESULT_UNTRUSTED)
		signing_write_pair(SIGNING_P256, private_path, NULL);
	if (codes[_i] != RESULT_UNSIGNED)
		signing_sign_file(private_path, package);
	check.package = open(package, O_RDWR);
	ck_assert_int_ge(check.package, 0);
	if (codes[_i] == RESULT_TAMPERED)
		ck_assert_int_eq(pwrite(check.package, "!", 1, 40), 1);
	err = step_check(&check, &scene.output, &error);
	ck_assert_int_eq(err < 0, codes[_i] != RESULT_OK);
	ck_assert_int_eq(err < 0 ? error.code : RESULT_OK, codes[_i]);
	ck_assert_ptr_nonnull(strstr(scene.log, "must be signed by one of 1 keys"));
	ck_assert_int_eq(close(check.package), 0);
}
END_TEST

/* The plain package is what is checked; who cannot open it, or finds it damaged, says so. */
START_TEST(test_encrypted)
{
	static const int codes[] = {RESULT_OK, RESULT_SEALED, RESULT_SEALED, RESULT_FORGED, RESULT_PRECHECK};
	char private_path[128], public_path[128], package[128];
	struct package_crypt_keys *keys = NULL;
	struct step_check check = {.version = RUNNING};
	int err;

	(void)snprintf(private_path, sizeof(private_path), "%s", scene_put_text(&scene, "keys/a.key", ""));
	(void)snprintf(public_path, sizeof(public_path), "%s/a.pub", scene.root);
	make(codes[_i] == RESULT_PRECHECK ? OTHER : SAME);
	(void)snprintf(package, sizeof(package), "%s", scene_put(&scene, "package", craft.bytes, craft.size));
	signing_write_crypt_pair(private_path, public_path);
	signing_encrypt_file(public_path, package);
	if (_i == 1)
		signing_write_crypt_pair(private_path, public_path);
	if (_i != 2)
		ck_assert_int_eq(package_crypt_keys_load(scene_path(&scene, "keys"), NULL, &keys, NULL), 0);
	check.crypt_keys = keys;
	check.package = open(package, O_RDWR);
	ck_assert_int_ge(check.package, 0);
	if (codes[_i] == RESULT_FORGED)
		ck_assert_int_eq(pwrite(check.package, "damaged", 7, 120), 7);
	err = step_check(&check, &scene.output, &error);
	ck_assert_int_eq(err < 0, codes[_i] != RESULT_OK);
	ck_assert_int_eq(err < 0 ? error.code : RESULT_OK, codes[_i]);
	ck_assert_int_eq(close(check.package), 0);
	package_crypt_keys_free(keys);
}
END_TEST

START_TEST(test_no_keys)
{
	struct step_check check = {.version = RUNNING, .keys = "/no/such/folder"};

	make(SAME);
	check.package = open(scene_put(&scene, "package", craft.bytes, craft.size), O_RDONLY);
	ck_assert_int_eq(step_check(&check, &scene.output, &error), 0);
	ck_assert_ptr_nonnull(strstr(scene.log, "packages are NOT verified: no keys in /no/such/folder\n"));
	ck_assert_int_eq(close(check.package), 0);
}
END_TEST

Suite *suite_check_step(void)
{
	Suite *suite = suite_create("check");
	TCase *tests = tcase_create("check");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, test_sound);
	tcase_add_loop_test(tests, test_target_version, 0, 2);
	tcase_add_test(tests, test_every_truncation);
	tcase_add_test(tests, test_bit_flips);
	tcase_add_test(tests, test_md5_list);
	tcase_add_test(tests, test_no_script);
	tcase_add_loop_test(tests, test_versions, 0, 7);
	tcase_add_loop_test(tests, test_odd_versions, 0, 2);
	tcase_add_loop_test(tests, test_rollback, 0, 7);
	tcase_add_test(tests, test_no_file);
	tcase_add_loop_test(tests, test_signatures, 0, 4);
	tcase_add_loop_test(tests, test_encrypted, 0, 5);
	tcase_add_test(tests, test_no_keys);
	suite_add_tcase(suite, tests);
	return suite;
}
