/* SPDX-License-Identifier: Apache-2.0 */
/* Packages that are signed when they are made, or afterwards. */
#include "suites.h"

#include "harness.h"
#include "package/signature.h"
#include "tests/package/signing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static void setup(void)
{
	static const struct item source[] = {ITEM_END};
	static const struct item target[] = {ITEM_FILE("SYSTEM/new", 0644, "new"), ITEM_END};
	char path[128];
	char public[128];

	(void)snprintf(folder, sizeof(folder), "/tmp/test_gentools.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/source.zip", folder);
	write_firmware(path, source);
	(void)snprintf(path, sizeof(path), "%s/target.zip", folder);
	write_firmware(path, target);
	(void)snprintf(path, sizeof(path), "%s/keys", folder);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/key.pem", folder);
	(void)snprintf(public, sizeof(public), "%s/keys/public.pem", folder);
	signing_write_pair(SIGNING_ED25519, path, public);
}

static void teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c): a path of our own making */
}

static int run_program(const char *arguments)
{
	char command[512];
	int status;

	(void)snprintf(command, sizeof(command), "cd %s && '%s' %s >out 2>err", folder, UPDATE_GEN, arguments);
	status = system(command); /* NOLINT(cert-env33-c): the shell's redirections are what is tested */
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool is_there(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

static bool is_empty(const char *name)
{
	char path[128];
	struct stat stat_buffer;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_int_eq(stat(path, &stat_buffer), 0);
	return stat_buffer.st_size == 0;
}

static bool is_same(const char *first, const char *second)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "cd %s && cmp -s %s %s", folder, first, second);
	return system(command) == 0; /* NOLINT(cert-env33-c): names of our own making */
}

/* By the key in the folder; also that it is a package still. */
static int verify(const char *name)
{
	struct package_limits limits = package_default_limits();
	struct package_keys *keys;
	struct package *package;
	struct error error = {0};
	struct stat stat_buffer;
	struct reader reader;
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &stat_buffer), 0);
	reader = reader_from_file(&fd, (uint64_t)stat_buffer.st_size);
	ck_assert_int_eq(package_open(&reader, &limits, &package, NULL), 0);
	ck_assert_int_eq(package_test(package, NULL, NULL, NULL), 0);
	package_close(package);
	(void)snprintf(path, sizeof(path), "%s/keys", folder);
	ck_assert_int_eq(package_keys_load(path, NULL, &keys, NULL), 0);
	if (package_verify_signature(&reader, keys, NULL, NULL, &error) == 0)
		error.code = RESULT_OK;
	package_keys_free(keys);
	ck_assert_int_eq(close(fd), 0);
	return error.code;
}

#define MAKE "a --source source.zip --target target.zip "

START_TEST(test_sign_when_made)
{
	ck_assert_int_eq(run_program(MAKE "-o update.zip --sign key.pem"), 0);
	ck_assert_int_eq(verify("update.zip"), RESULT_OK);
	ck_assert_int_eq(run_program("verify update.zip --source source.zip --target target.zip"), 0);
	ck_assert(!is_there("update.zip.part") && !is_there("update.zip.part.part"));
}
END_TEST

/* The same bytes, whether it is signed at once or afterwards. */
START_TEST(test_sign_afterwards)
{
	ck_assert_int_eq(run_program(MAKE "-o update.zip"), 0);
	ck_assert_int_eq(verify("update.zip"), RESULT_UNSIGNED);
	ck_assert_int_eq(run_program("sign update.zip --key key.pem -o signed.zip"), 0);
	ck_assert_int_eq(verify("update.zip"), RESULT_UNSIGNED);
	ck_assert_int_eq(verify("signed.zip"), RESULT_OK);
	ck_assert_int_eq(run_program("sign update.zip -k key.pem"), 0);
	ck_assert_int_eq(run_program(MAKE "-o made.zip --sign key.pem"), 0);
	ck_assert(is_same("update.zip", "signed.zip"));
	ck_assert(is_same("update.zip", "made.zip"));
}
END_TEST

/* Without a package there is none that somebody could take for signed. */
START_TEST(test_sign_fails)
{
	ck_assert_int_eq(run_program(MAKE "-o update.zip --sign none.pem"), 1);
	ck_assert(is_empty("out")); /* before anything else was done */
	ck_assert(!is_empty("err"));
	ck_assert(!is_there("update.zip"));
	ck_assert_int_eq(run_program(MAKE "-o update.zip --sign keys/public.pem"), 1);
	ck_assert(!is_there("update.zip"));
}
END_TEST

START_TEST(test_usage)
{
	static const struct {
		const char *arguments;
		int status;
	} cases[] = {
		{"sign --help", 0},
		{"sign", 2},
		{"sign key.pem", 2},
		{"sign --key key.pem", 2},
		{"sign a b --key key.pem", 2},
		{"sign none.zip --key key.pem", 1},
		{"sign key.pem --key key.pem", 1},
		{"sign source.zip --key keys/public.pem", 1},
		{"sign source.zip --unknown", 2},
	};

	ck_assert_int_eq(run_program(cases[_i].arguments), cases[_i].status);
	ck_assert_int_eq(is_empty("err"), cases[_i].status == 0);
	ck_assert_int_eq(is_empty("out"), cases[_i].status != 0);
}
END_TEST

TCase *sign_tests(void)
{
	TCase *tests = tcase_create("sign");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_sign_when_made);
	tcase_add_test(tests, test_sign_afterwards);
	tcase_add_test(tests, test_sign_fails);
	tcase_add_loop_test(tests, test_usage, 0, 9);
	return tests;
}
