/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_CAPABILITY_H
#define GENTOOLS_CAPABILITY_H

/* Capabilities of programs, as far as set_metadata() of the scripts can set them: a permitted set that is effective. */
#include <stddef.h>
#include <stdint.h>

#define CAPABILITY_XATTR "security.capability"
#define CAPABILITY_SIZE  20 /* of struct vfs_cap_data of <linux/capability.h>, revision 2 */

/* The attribute that such a set makes. */
void capability_pack(uint8_t value[CAPABILITY_SIZE], uint64_t permitted);

/* What to say of a file for which capability_parse() or capability_read() returned -EOPNOTSUPP. */
#define CAPABILITY_REFUSED "has capabilities other than an effective permitted set, which no script can set"

/* The set that an attribute of this value makes. -EOPNOTSUPP when it is more than a permitted set. */
int capability_parse(const uint8_t *value, size_t size, uint64_t *permitted);

/* The set of a file, not of what a link leads to; 0 for none. -EOPNOTSUPP when it is more than a permitted set. */
int capability_read(const char *path, uint64_t *permitted);

#endif
