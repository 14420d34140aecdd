/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/suites.h"

#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(suite_bsdiff());
	int failed;

	srunner_add_suite(runner, suite_make());
	srunner_add_suite(runner, suite_inflated());
	srunner_add_suite(runner, suite_imgdiff());
	srunner_add_suite(runner, suite_imgmake());
	srunner_add_suite(runner, suite_blocks());
	srunner_add_suite(runner, suite_choice());
	srunner_add_suite(runner, suite_units());
	srunner_add_suite(runner, suite_native());
	srunner_add_suite(runner, suite_noise());
	srunner_add_suite(runner, suite_arm());
	srunner_add_suite(runner, suite_predict());
	srunner_add_suite(runner, suite_walk());
	srunner_add_suite(runner, suite_nodes());
	srunner_add_suite(runner, suite_view());
	srunner_add_suite(runner, suite_view_load());
	srunner_add_suite(runner, suite_model());
	srunner_add_suite(runner, suite_gzip());
	srunner_add_suite(runner, suite_images());
	srunner_add_suite(runner, suite_native_views());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
