/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PATCH_SUPPORT_H
#define TESTS_PATCH_SUPPORT_H

#include "patch/patch.h"
#include <check.h>
#include <stdbool.h>

/* Bytes on the heap, owned by whoever holds them. */
struct bytes {
	uint8_t *data;
	size_t size;
};

struct bytes bytes_new(size_t size); /* zeroed */
struct bytes bytes_copy(const void *data, size_t size);
void bytes_append(struct bytes *bytes, const void *data, size_t size);
void bytes_free(struct bytes *bytes);
struct sink bytes_sink(struct bytes *bytes);
struct sink full_sink(size_t *longest); /* -ENOSPC for what is longer at a time; the rest is dropped */

/* Always the same for the same seed. */
struct bytes random_bytes(size_t size, uint32_t seed);
struct bytes text_bytes(size_t size, uint32_t seed);                   /* compressible records */
struct bytes edited_copy(const struct bytes *original, uint32_t seed); /* bytes changed, pieces put in and left out */
uint32_t next_random(uint32_t *state);

size_t heap_in_use(void); /* bytes */

/* The world around one patch_apply: what goes wrong in it, what came out of it. */
struct apply_run {
	const struct bytes *old;
	const struct bytes *patch;
	const struct bytes *bonus; /* may be NULL */
	size_t expected_size;
	size_t read_at_most; /* of the patch at a time, 0: all that is asked for */
	int fail_old;        /* errno value that reading old content meets, 0: none */
	int fail_patch;      /* the same for the patch behind its first 64 bytes */
	int fail_sink;       /* the same for writing behind the first bytes */
	struct bytes out;    /* what was written */
	size_t peak;         /* heap in use at most, beyond what was in use before */
	struct error error;
	size_t base; /* heap in use before */
};

/*
 * Apply and return patch_apply's result. Whatever the patch, it must hold that no more than the expected size is
 * written, that all of it is on success, and that a failure has a message.
 */
int apply_run(struct apply_run *run);

/* Apply and insist on this result. */
void apply_expect(const struct bytes *old, const struct bytes *patch, const struct bytes *bonus,
                  const struct bytes *expected);

/* Apply and insist on a broken patch with this in its message. */
void apply_broken(const struct bytes *old, const struct bytes *patch, size_t expected_size, const char *message);

void bytes_expect_equal(const struct bytes *bytes, const struct bytes *expected);

/* Cut the patch at every byte: all must fail. Flip its every bit: apply_run's conditions must hold. */
void apply_cut_everywhere(const struct bytes *old, const struct bytes *patch, size_t expected_size);
void apply_flip_every_bit(const struct bytes *old, const struct bytes *patch, size_t expected_size);

#endif
