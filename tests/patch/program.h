/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PATCH_PROGRAM_H
#define TESTS_PATCH_PROGRAM_H

/* Crafted programs, such that one function can grow and move all behind it. */
#include "tests/patch/support.h"

#define PROGRAM_FUNCTIONS 300

/* A program of functions that call each other, then a table of their addresses. */
struct program {
	uint32_t address;
	uint32_t seed;  /* of its instructions */
	uint32_t grown; /* function that has so many instructions more */
	uint32_t more;
	uint32_t starts[PROGRAM_FUNCTIONS + 1]; /* offsets */
	struct bytes bytes;
};

/* Fill in the starts and the bytes; with ELF's headers in front of it, or without any. The caller frees the bytes. */
void program_build(struct program *program, bool is_elf);

#endif
