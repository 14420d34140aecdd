/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MISC_SUITES_H
#define TESTS_MISC_SUITES_H

#include "misc/misc.h"
#include <check.h>

/* misc_attempt_begin() with a message that names its arguments. */
static inline int begin_attempt(struct misc *misc, uint32_t upgrade, unsigned progress)
{
	static const struct misc_message armed = {.command = MISC_BOOT_RECOVERY, .recovery = "recovery\n--reason=x\n"};

	return misc_attempt_begin(misc, &armed, upgrade, progress, NULL);
}

TCase *resume_tests(void);
TCase *message_tests(void);
TCase *partition_tests(void);
TCase *journal_tests(void);

#endif
