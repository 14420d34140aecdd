/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PATCH_SUITES_H
#define TESTS_PATCH_SUITES_H

#include <check.h>

typedef Suite *suite_maker(void);
extern suite_maker *const suites[]; /* of this program; NULL ends them */

Suite *suite_bsdiff(void);
Suite *suite_make(void);
Suite *suite_inflated(void);
Suite *suite_imgdiff(void);
Suite *suite_imgmake(void);
Suite *suite_blocks(void);
Suite *suite_native(void);
Suite *suite_choice(void);
Suite *suite_units(void);
Suite *suite_noise(void);
Suite *suite_arm(void);
Suite *suite_predict(void);
Suite *suite_walk(void);
Suite *suite_nodes(void);
Suite *suite_view(void);
Suite *suite_view_load(void);
Suite *suite_model(void);
Suite *suite_gzip(void);
Suite *suite_images(void);
Suite *suite_native_views(void);

#endif
