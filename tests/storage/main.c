/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(suite_name());
	int failed;

	srunner_add_suite(runner, suite_texts());
	srunner_add_suite(runner, suite_writer());
	srunner_add_suite(runner, suite_mtd());
	srunner_add_suite(runner, suite_ubi());
	srunner_add_suite(runner, suite_raw());
	srunner_add_suite(runner, suite_units());
	srunner_add_suite(runner, suite_units_mtd());
	srunner_add_suite(runner, suite_files());
	srunner_add_suite(runner, suite_attributes());
	srunner_add_suite(runner, suite_tree());
	srunner_add_suite(runner, suite_mount());
	srunner_add_suite(runner, suite_root());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
