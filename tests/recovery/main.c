/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <signal.h>
#include <stdlib.h>

int main(void)
{
	Suite *suite = suite_create("recovery");
	SRunner *runner;
	int failed;

	(void)signal(SIGPIPE, SIG_IGN);
	suite_add_tcase(suite, policy_tests());
	suite_add_tcase(suite, request_tests());
	suite_add_tcase(suite, powercut_tests());
	suite_add_tcase(suite, part_tests());
	suite_add_tcase(suite, pipe_tests());
	suite_add_tcase(suite, child_tests());
	suite_add_tcase(suite, program_tests());
	suite_add_tcase(suite, rollback_tests());
	suite_add_tcase(suite, crypt_tests());
	suite_add_tcase(suite, sweep_tests());
	suite_add_tcase(suite, trouble_tests());
	suite_add_tcase(suite, trust_tests());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
