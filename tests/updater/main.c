/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(suite_apply());
	int failed;

	srunner_add_suite(runner, suite_check());
	srunner_add_suite(runner, suite_power());
	srunner_add_suite(runner, suite_files());
	srunner_add_suite(runner, suite_keep());
	srunner_add_suite(runner, suite_links());
	srunner_add_suite(runner, suite_system());
	srunner_add_suite(runner, suite_run());
	srunner_add_suite(runner, suite_rehearsal());
	srunner_add_suite(runner, suite_programs());
	srunner_add_suite(runner, suite_imgdiff());
	srunner_add_suite(runner, suite_lineage());
	srunner_add_suite(runner, suite_journal());
	srunner_add_suite(runner, suite_resume());
	srunner_add_suite(runner, suite_evidence());
	srunner_add_suite(runner, suite_in_place());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
