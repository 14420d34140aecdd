/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GENTOOLS_SHELL_H
#define TESTS_GENTOOLS_SHELL_H

/*
 * What users type, as a shell sees it: commands in a folder of their own with update_gen.sh, update_gen beside it,
 * which is $gen too, and v1 and v2 with a targetfiles.zip each. SYSTEM/a, b, c and d differ, SYSTEM/new is new.
 */
void shell_check(const char *commands); /* fails the test when they do not end with 0 */

#define SHELL_UNPACK "for v in 1 2; do unzip -qd d$v v$v/targetfiles.zip || exit 1; done; "
#define SHELL_PYTHON "python3 -c \"import json,os\n"

#endif
