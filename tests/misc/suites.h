/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MISC_SUITES_H
#define TESTS_MISC_SUITES_H

#include <check.h>

TCase *message_tests(void);
TCase *partition_tests(void);
TCase *journal_tests(void);

#endif
