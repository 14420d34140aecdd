/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/capability.h"

#include "base/bytes.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/xattr.h>

void capability_pack(uint8_t value[CAPABILITY_SIZE], uint64_t permitted)
{
	memset(value, 0, CAPABILITY_SIZE);
	put_le32(value, VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE);
	put_le32(value + 4, (uint32_t)permitted);
	put_le32(value + 12, (uint32_t)(permitted >> 32));
}

int capability_parse(const uint8_t *value, size_t size, uint64_t *permitted)
{
	uint8_t expected[CAPABILITY_SIZE];

	*permitted = 0;
	if (size != CAPABILITY_SIZE)
		return -EOPNOTSUPP;
	*permitted = get_le32(value + 4) | (uint64_t)get_le32(value + 12) << 32;
	capability_pack(expected, *permitted);
	return memcmp(value, expected, CAPABILITY_SIZE) == 0 ? 0 : -EOPNOTSUPP;
}

int capability_read(const char *path, uint64_t *permitted)
{
	uint8_t value[64];
	ssize_t size = lgetxattr(path, CAPABILITY_XATTR, value, sizeof(value));

	*permitted = 0;
	if (size < 0)
		return errno == ENODATA || errno == ENOTSUP ? 0 : -errno;
	return capability_parse(value, (size_t)size, permitted);
}
