/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdlib.h>

int main(void)
{
	Suite *suite = suite_create("gentools");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, chain_tests());
	suite_add_tcase(suite, app_tests());
	suite_add_tcase(suite, change_tests());
	suite_add_tcase(suite, delta_tests());
	suite_add_tcase(suite, delta_command_tests());
	suite_add_tcase(suite, encrypt_tests());
	suite_add_tcase(suite, front_tests());
	suite_add_tcase(suite, full_tests());
	suite_add_tcase(suite, hardlink_tests());
	suite_add_tcase(suite, damaged_image_tests());
	suite_add_tcase(suite, image_tests());
	suite_add_tcase(suite, input_tests());
	suite_add_tcase(suite, list_tests());
	suite_add_tcase(suite, listed_tests());
	suite_add_tcase(suite, move_tests());
	suite_add_tcase(suite, minimal_tests());
	suite_add_tcase(suite, needs_tests());
	suite_add_tcase(suite, option_tests());
	suite_add_tcase(suite, program_tests());
	suite_add_tcase(suite, rollback_tests());
	suite_add_tcase(suite, sign_tests());
	suite_add_tcase(suite, unit_tests());
	suite_add_tcase(suite, verify_tests());
	suite_add_tcase(suite, volume_tests());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
