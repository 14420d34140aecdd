/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/suites.h"

#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(suites[0]());
	int failed;

	for (suite_maker *const *suite = suites + 1; *suite; suite++)
		srunner_add_suite(runner, (*suite)());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
