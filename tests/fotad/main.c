/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(suite_command());
	int failed;

	srunner_add_suite(runner, suite_commands());
	srunner_add_suite(runner, suite_config());
	srunner_add_suite(runner, suite_download());
	srunner_add_suite(runner, suite_outcome());
	srunner_add_suite(runner, suite_next());
	srunner_add_suite(runner, suite_front());
	srunner_add_suite(runner, suite_link());
	srunner_add_suite(runner, suite_outbox());
	srunner_add_suite(runner, suite_port());
	srunner_add_suite(runner, suite_ports());
	srunner_add_suite(runner, suite_privileges());
	srunner_add_suite(runner, suite_session());
	srunner_add_suite(runner, suite_source());
	srunner_add_suite(runner, suite_arm());
	srunner_add_suite(runner, suite_check_step());
	srunner_add_suite(runner, suite_rehearse());
	srunner_add_suite(runner, suite_step());
	srunner_add_suite(runner, suite_version());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
