/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scratch_open(struct scratch *scratch)
{
	memcpy(scratch->root, "/tmp/report-test-XXXXXX", sizeof("/tmp/report-test-XXXXXX"));
	ck_assert_ptr_nonnull(mkdtemp(scratch->root));
	ck_assert_int_eq(storage_open_linux(scratch->root, NULL, NULL, &scratch->storage, NULL), 0);
}

void scratch_close(struct scratch *scratch)
{
	ck_assert_int_ge(storage_remove_tree(scratch->storage, "/a", NULL), 0);
	storage_close(scratch->storage);
	ck_assert_int_eq(storage_open_linux(NULL, NULL, NULL, &scratch->storage, NULL), 0);
	ck_assert_int_eq(storage_remove_tree(scratch->storage, scratch->root, NULL), 0);
	storage_close(scratch->storage);
}

const char *scratch_path(struct scratch *scratch, const char *name, char path[256])
{
	(void)snprintf(path, 256, "%s/%s", scratch->root, name);
	return path;
}

const char *scratch_text(struct scratch *scratch, const char *name)
{
	static char text[512 * 1024];
	char path[256];
	FILE *file = fopen(scratch_path(scratch, name, path), "r");
	size_t size = 0;

	if (file) {
		size = fread(text, 1, sizeof(text) - 1, file);
		ck_assert_int_eq(fclose(file), 0);
	}
	text[size] = '\0';
	return text;
}

int main(void)
{
	Suite *suite = suite_create("report");
	SRunner *runner;
	int failed;

	(void)signal(SIGPIPE, SIG_IGN); /* as every program that reports */
	suite_add_tcase(suite, urc_tests());
	suite_add_tcase(suite, files_tests());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
