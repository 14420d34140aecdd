/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/native_trip.h"

struct bytes native_make_patch(const struct bytes *old, const struct bytes *new, bool digests)
{
	struct patch_native_options options = {.digests = digests};
	struct bytes patch = bytes_new(0);
	struct sink sink = bytes_sink(&patch);
	struct error error = {.message = ""};

	ck_assert_msg(patch_make_native(old->data, old->size, new->data, new->size, &options, &sink, &error) == 0, "%s",
	              error.message);
	return patch;
}

struct content content_of_bytes(struct memory_block *block, struct reader *reader, const struct bytes *bytes)
{
	*block = (struct memory_block){.data = bytes->data, .size = bytes->size};
	*reader = reader_from_memory(block);
	return content_from_reader(reader);
}

uint64_t native_memory(const struct bytes *patch)
{
	struct memory_block block;
	struct reader reader;
	struct content content = content_of_bytes(&block, &reader, patch);
	struct error error;
	uint64_t memory;

	ck_assert_int_eq(patch_memory(&content, &memory, &error), 0);
	return memory;
}

/* What the patch says of its memory holds. */
void native_round_trip(const struct bytes *old, const struct bytes *new)
{
	for (int digests = 0; digests < 2; digests++) {
		struct bytes patch = native_make_patch(old, new, digests == 1);
		struct apply_run run = {.old = old, .patch = &patch, .expected_size = new->size};

		ck_assert_msg(apply_run(&run) == 0, "%s", run.error.message);
		bytes_expect_equal(&run.out, new);
		ck_assert_uint_le(run.peak, native_memory(&patch) + (64 << 10));
		bytes_free(&run.out);
		bytes_free(&patch);
	}
}

void native_round_trip_owned(struct bytes old, struct bytes new)
{
	native_round_trip(&old, &new);
	bytes_free(&old);
	bytes_free(&new);
}
