/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/suites.h"

#include <stddef.h>

suite_maker *const suites[] = {suite_bsdiff, suite_make,    suite_inflated, suite_imgdiff, suite_imgmake,
                               suite_blocks, suite_choice,  suite_units,    suite_native,  suite_noise,
                               suite_arm,    suite_predict, suite_walk,     suite_model,   NULL};
