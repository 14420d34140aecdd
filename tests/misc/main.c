/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdlib.h>

int main(void)
{
	Suite *suite = suite_create("misc");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, message_tests());
	suite_add_tcase(suite, partition_tests());
	suite_add_tcase(suite, journal_tests());
	suite_add_tcase(suite, resume_tests());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
