/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GENTOOLS_IMAGES_H
#define TESTS_GENTOOLS_IMAGES_H

/* Images of file systems, by make_images, and what becomes of them when something in them is changed. */
#include "gentools/tree.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file, to be changed. */
struct image_bytes {
	uint8_t *data;
	size_t size;
};

/* Fixture: the folder that make_images fills. */
void images_start(void);
void images_end(void);

void images_shell(const char *script); /* $F is the folder */
int images_read_tree(struct tree *tree, const char *name, struct error *error);

struct image_bytes images_read(const char *name);

/* Unpack a squashfs, a UBIFS, or the first volume of UBI, to SYSTEM of a tree. */
int images_unpack(struct tree *tree, const uint8_t *data, size_t size, struct error *error);

/* All that the tree of an image says, whatever the order of its objects. */
uint32_t images_fingerprint(const struct image_bytes *bytes);

/* Whether its first bytes are refused; if they are not, they must say what they are to say. */
bool images_refused(const struct image_bytes *bytes, size_t size, uint32_t expected);

/* The node of this type of a UBIFS; so many others of it are passed over. */
uint8_t *images_find_node(const struct image_bytes *bytes, unsigned type, unsigned skip);

/* Give every node of a UBIFS the checksum of what it says. */
void images_repair(struct image_bytes *bytes);

/* Repaired it must be refused for this cause. Frees it. */
void images_check_cause(struct image_bytes *bytes, const char *cause);

#endif
