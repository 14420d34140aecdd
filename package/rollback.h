/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_ROLLBACK_H
#define PACKAGE_ROLLBACK_H

/*
 * Against old packages, which may be signed as well as new ones: a version's rollback index never falls. It is a
 * decimal number from 0 to 4294967295 in one line, white space around it, in a file of the root file system; a version
 * without the file has 0. The package carries the index of the version that it leads to as PACKAGE_ROLLBACK_INDEX.
 */
#include "package/package.h"

#define PACKAGE_ROLLBACK_PATH "/etc/" PACKAGE_ROLLBACK_INDEX /* in the root file system */
#define PACKAGE_ROLLBACK_MAX  64                             /* bytes of the file */

/* The number that a file says. -EINVAL with RESULT_FORMAT when it is none. */
int package_parse_rollback(const char *text, size_t size, uint32_t *index, struct error *error);

/* What the package leads to, 0 without the entry. Fails as above, or as package_load(). */
int package_read_rollback(struct package *package, uint32_t *index, struct error *error);

/* -EPERM with RESULT_ROLLBACK when the package leads back behind the running version. */
int package_compare_rollback(uint32_t offered, uint32_t running, struct error *error);

#endif
