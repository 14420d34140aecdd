/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FOTAD_SUITES_H
#define TESTS_FOTAD_SUITES_H

#include <check.h>

Suite *suite_command(void);
Suite *suite_commands(void);
Suite *suite_config(void);
Suite *suite_download(void);
Suite *suite_outcome(void);
Suite *suite_next(void);
Suite *suite_front(void);
Suite *suite_link(void);
Suite *suite_outbox(void);
Suite *suite_port(void);
Suite *suite_ports(void);
Suite *suite_privileges(void);
Suite *suite_session(void);
Suite *suite_source(void);
Suite *suite_arm(void);
Suite *suite_check_step(void);
Suite *suite_rehearse(void);
Suite *suite_step(void);
Suite *suite_version(void);

#endif
