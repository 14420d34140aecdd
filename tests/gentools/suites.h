/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GENTOOLS_SUITES_H
#define TESTS_GENTOOLS_SUITES_H

#include <check.h>

TCase *change_tests(void);  /* what the package does about each difference */
TCase *front_tests(void);   /* update_gen.sh */
TCase *input_tests(void);   /* wrong inputs, determinism */
TCase *program_tests(void); /* update_gen's command line */
TCase *verify_tests(void);  /* packages tried out on a model of the module */

#endif
