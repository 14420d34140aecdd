/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_REPORT_SUITES_H
#define TESTS_REPORT_SUITES_H

#include "storage/storage.h"
#include <check.h>
#include <stddef.h>

TCase *urc_tests(void);
TCase *files_tests(void);

/* A directory of its own for each test, and storage whose root it is. */
struct scratch {
	char root[64];
	struct storage *storage;
};
void scratch_open(struct scratch *scratch);
void scratch_close(struct scratch *scratch);

/* root/name for system calls. */
const char *scratch_path(struct scratch *scratch, const char *name, char path[256]);

/* What a file below the root holds; "" when there is none. Static text, until the next call. */
const char *scratch_text(struct scratch *scratch, const char *name);

#endif
