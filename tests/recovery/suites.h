/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_RECOVERY_SUITES_H
#define TESTS_RECOVERY_SUITES_H

#include <check.h>

TCase *policy_tests(void);
TCase *request_tests(void);
TCase *powercut_tests(void);
TCase *part_tests(void);
TCase *pipe_tests(void);
TCase *child_tests(void);
TCase *program_tests(void);
TCase *crypt_tests(void);
TCase *rollback_tests(void);
TCase *sweep_tests(void);
TCase *trouble_tests(void);
TCase *trust_tests(void);

#endif
