/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/script/harness.h"

#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(suite_values());
	int failed;

	srunner_add_suite(runner, suite_findings());
	srunner_add_suite(runner, suite_aborts());
	srunner_add_suite(runner, suite_soft());
	srunner_add_suite(runner, suite_limits());
	srunner_add_suite(runner, suite_hostile());
	srunner_add_suite(runner, suite_memory());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
