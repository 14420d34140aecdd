/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MISC_NAND_H
#define TESTS_MISC_NAND_H

/*
 * A misc partition on raw NAND, in memory: pages are programmed once per erase and in ascending order (anything else
 * fails the test), blocks can be bad, and the n-th change can be the one that power cuts short.
 */
#include "storage/storage.h"
#include <stdbool.h>
#include <stdint.h>

#define NAND_PAGE   ((size_t)2048)
#define NAND_PAGES  ((size_t)32) /* per block */
#define NAND_BLOCK  (NAND_PAGE * NAND_PAGES)
#define NAND_BLOCKS 5

struct nand {
	unsigned blocks;
	uint8_t data[NAND_BLOCKS * NAND_BLOCK];
	bool programmed[NAND_BLOCKS * NAND_PAGES];
	bool torn[NAND_BLOCKS * NAND_PAGES]; /* ECC cannot correct it */
	bool bad[NAND_BLOCKS];
	unsigned changes; /* erases and programs so far */
	unsigned erases;
	unsigned cut_at;     /* this change, counted from 1, is torn, and all later ones fail; 0: never */
	unsigned fail_erase; /* so many erases fail from now on */
	unsigned fail_program;
	bool worn[NAND_BLOCKS]; /* erasing and programming fails */
	struct storage *storage;
};

/* Fresh NAND. The caller ends it with nand_free(). */
struct nand *nand_new(unsigned blocks);
void nand_free(struct nand *nand);

/* A copy with its own storage: the module after power came back, or another run from the same start. */
struct nand *nand_copy(const struct nand *nand);

#endif
