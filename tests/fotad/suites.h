/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FOTAD_SUITES_H
#define TESTS_FOTAD_SUITES_H

#include <check.h>

Suite *suite_command(void);
Suite *suite_session(void);

#endif
