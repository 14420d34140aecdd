/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/suites.h"

#include <stddef.h>

suite_maker *const suites[] = {suite_nodes,        suite_view, suite_view_load, suite_gzip, suite_images,
                               suite_native_views, NULL};
