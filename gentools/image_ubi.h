/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_IMAGE_UBI_H
#define GENTOOLS_IMAGE_UBI_H

/*
 * An image of a flash with UBI on it, as ubinize makes it: its volumes. Source: the kernel's
 * drivers/mtd/ubi/ubi-media.h. Every header is checked; what is erased is skipped, what is damaged is an error.
 */
#include "base/error.h"
#include "base/io.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UBI_MAGIC       "UBI#"
#define UBI_NAME_SIZE   128
#define UBI_MAX_VOLUMES 128

/* A logical erase block where it lies. */
struct ubi_block {
	uint32_t volume;
	uint32_t number;
	const uint8_t *header; /* volume identifier */
	const uint8_t *data;   /* struct ubi.block_size bytes */
};

struct ubi_volume {
	char name[UBI_NAME_SIZE];
	bool torn; /* its last update was not finished */
	bool is_static;
	uint32_t block_size; /* bytes; what the volume's alignment takes off a block is off */
	uint64_t size;       /* bytes, up to the end of its last block that has content */
	const struct ubi_block *blocks;
	size_t count;
};

struct ubi {
	uint32_t block_size;      /* logical, bytes */
	uint32_t erase_size;      /* physical, bytes */
	struct ubi_block *blocks; /* by volume and number, no pair twice */
	size_t count;
	struct ubi_volume volumes[UBI_MAX_VOLUMES];
	size_t volume_count;
};

/* The data must stay. Ends with ubi_close(), also after a failure. -EINVAL for what is no whole and sound image. */
int ubi_open(struct ubi *ubi, const uint8_t *data, size_t size, struct error *error);
void ubi_close(struct ubi *ubi);

/* Content of a volume; blocks that it does not have read as erased. */
struct reader ubi_volume_reader(const struct ubi_volume *volume);

#endif
