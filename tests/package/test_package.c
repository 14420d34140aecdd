/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdlib.h>

int main(void)
{
	Suite *suite = suite_create("package");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, open_tests());
	suite_add_tcase(suite, name_tests());
	suite_add_tcase(suite, content_tests());
	suite_add_tcase(suite, verify_tests());
	suite_add_tcase(suite, signature_tests());
	suite_add_tcase(suite, key_tests());
	suite_add_tcase(suite, next_tests());
	suite_add_tcase(suite, rollback_tests());
	suite_add_tcase(suite, crypt_tests());
	suite_add_tcase(suite, crypt_format_tests());
	suite_add_tcase(suite, sweep_tests());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
