/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/support.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ /* gcc defines it by itself */
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
/* Of sanitizer/allocator_interface.h, which gcc's packages lack. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

#define PATCH_GOOD_BYTES 64 /* before fail_patch strikes */

struct bytes bytes_new(size_t size)
{
	struct bytes bytes = {.data = calloc(1, size + 1), .size = size};

	ck_assert_ptr_nonnull(bytes.data);
	return bytes;
}

struct bytes bytes_copy(const void *data, size_t size)
{
	struct bytes bytes = bytes_new(size);

	if (size > 0)
		memcpy(bytes.data, data, size);
	return bytes;
}

void bytes_append(struct bytes *bytes, const void *data, size_t size)
{
	if (size == 0)
		return;
	bytes->data = realloc(bytes->data, bytes->size + size);
	ck_assert_ptr_nonnull(bytes->data);
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	memset(bytes, 0, sizeof(*bytes));
}

static int bytes_write(void *ctx, const void *data, size_t length)
{
	bytes_append(ctx, data, length);
	return 0;
}

struct sink bytes_sink(struct bytes *bytes)
{
	return (struct sink){.write = bytes_write, .ctx = bytes};
}

static int full_write(void *ctx, const void *data, size_t length)
{
	const size_t *longest = ctx;

	(void)data;
	return length > *longest ? -ENOSPC : 0;
}

struct sink full_sink(size_t *longest)
{
	return (struct sink){.write = full_write, .ctx = longest};
}

uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

struct bytes random_bytes(size_t size, uint32_t seed)
{
	struct bytes bytes = bytes_new(size);

	for (size_t i = 0; i < size; i++)
		bytes.data[i] = (uint8_t)next_random(&seed);
	return bytes;
}

struct bytes text_bytes(size_t size, uint32_t seed)
{
	struct bytes bytes = bytes_new(size);
	size_t at = 0;

	while (at < size) {
		char record[48];
		int n = snprintf(record, sizeof(record), "%06zu: name=%04x kind=%u\n", at, next_random(&seed) & 0xffff,
		                 next_random(&seed) % 7);

		for (int i = 0; i < n && at < size; i++)
			bytes.data[at++] = (uint8_t)record[i];
	}
	return bytes;
}

struct bytes edited_copy(const struct bytes *original, uint32_t seed)
{
	struct bytes copy = {0};
	size_t at = 0;

	while (at < original->size) {
		size_t keep = 200 + next_random(&seed) % 3000;
		uint32_t edit = next_random(&seed);

		if (keep > original->size - at)
			keep = original->size - at;
		bytes_append(&copy, original->data + at, keep);
		copy.data[copy.size - 1 - edit % keep] ^= 0x55;
		at += keep;
		if (edit % 3 == 0)
			bytes_append(&copy, "put in", 6);
		if (edit % 3 == 1 && original->size - at > 40)
			at += 40;
	}
	return copy;
}

size_t heap_in_use(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return __sanitizer_get_current_allocated_bytes();
#else
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#endif
}

/* Every callback is a look at the heap. The codecs keep what they have from one to the next. */
static void look_at_heap(struct apply_run *run)
{
	size_t now = heap_in_use();

	if (now > run->base && now - run->base > run->peak)
		run->peak = now - run->base;
}

static int old_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	struct apply_run *run = ctx;

	look_at_heap(run);
	ck_assert(offset <= run->old->size && length <= run->old->size - offset);
	if (run->fail_old)
		return -run->fail_old;
	memcpy(buffer, run->old->data + offset, length);
	return 0;
}

struct patch_stream {
	struct apply_run *run;
	uint64_t offset;
};

static ssize_t patch_stream_read(void *ctx, void *buffer, size_t length)
{
	struct patch_stream *stream = ctx;
	struct apply_run *run = stream->run;
	size_t left = run->patch->size - (size_t)stream->offset;

	look_at_heap(run);
	if (run->fail_patch && stream->offset >= PATCH_GOOD_BYTES)
		return -run->fail_patch;
	if (run->read_at_most && length > run->read_at_most)
		length = run->read_at_most;
	if (length > left)
		length = left;
	memcpy(buffer, run->patch->data + stream->offset, length);
	stream->offset += length;
	return (ssize_t)length;
}

static int patch_stream_open(void *ctx, uint64_t offset, struct stream *stream)
{
	struct apply_run *run = ctx;
	struct patch_stream *s = malloc(sizeof(*s));

	ck_assert_ptr_nonnull(s);
	ck_assert(offset <= run->patch->size);
	*s = (struct patch_stream){.run = run, .offset = offset};
	*stream = (struct stream){.read = patch_stream_read, .close = free, .ctx = s};
	return 0;
}

static int out_write(void *ctx, const void *data, size_t length)
{
	struct apply_run *run = ctx;

	look_at_heap(run);
	if (run->fail_sink)
		return -run->fail_sink;
	ck_assert_uint_le(run->out.size + length, run->expected_size);
	memcpy(run->out.data + run->out.size, data, length);
	run->out.size += length;
	return 0;
}

int apply_run(struct apply_run *run)
{
	struct memory_block bonus_block = {0};
	struct reader bonus = reader_from_memory(&bonus_block);
	struct reader old = {.read_at = old_read_at, .ctx = run, .size = run->old->size};
	struct content patch = {.open = patch_stream_open, .ctx = run, .size = run->patch->size};
	struct sink sink = {.write = out_write, .ctx = run};
	int result;

	if (run->bonus) {
		bonus_block = (struct memory_block){.data = run->bonus->data, .size = run->bonus->size};
		bonus = reader_from_memory(&bonus_block);
	}
	run->out = bytes_new(run->expected_size);
	run->out.size = 0;
	run->base = heap_in_use();
	result = patch_apply(&old, &patch, run->bonus ? &bonus : NULL, run->expected_size, &sink, &run->error);
	if (result == 0)
		ck_assert_uint_eq(run->out.size, run->expected_size);
	else
		ck_assert(result < 0 && run->error.message[0] != '\0');
	ck_assert_uint_eq(heap_in_use(), run->base);
	return result;
}

void bytes_expect_equal(const struct bytes *bytes, const struct bytes *expected)
{
	ck_assert_uint_eq(bytes->size, expected->size);
	ck_assert(bytes->size == 0 || memcmp(bytes->data, expected->data, expected->size) == 0);
}

void apply_expect(const struct bytes *old, const struct bytes *patch, const struct bytes *bonus,
                  const struct bytes *expected)
{
	struct apply_run run = {.old = old, .patch = patch, .bonus = bonus, .expected_size = expected->size};
	int result = apply_run(&run);

	ck_assert_msg(result == 0, "%d: %s", result, run.error.message);
	bytes_expect_equal(&run.out, expected);
	bytes_free(&run.out);
}

void apply_broken(const struct bytes *old, const struct bytes *patch, size_t expected_size, const char *message)
{
	struct apply_run run = {.old = old, .patch = patch, .expected_size = expected_size};
	int result = apply_run(&run);

	ck_assert_msg(result == -EINVAL && run.error.code == RESULT_VERIFY, "%d, code %d, want \"%s\"", result,
	              run.error.code, message);
	ck_assert_msg(strstr(run.error.message, message) != NULL, "\"%s\", want \"%s\"", run.error.message, message);
	bytes_free(&run.out);
}

void apply_cut_everywhere(const struct bytes *old, const struct bytes *patch, size_t expected_size)
{
	for (size_t size = 0; size < patch->size; size++) {
		struct bytes cut = bytes_copy(patch->data, size);

		apply_broken(old, &cut, expected_size, "");
		bytes_free(&cut);
	}
}

void apply_flip_every_bit(const struct bytes *old, const struct bytes *patch, size_t expected_size)
{
	struct bytes flipped = bytes_copy(patch->data, patch->size);

	for (size_t bit = 0; bit < 8 * patch->size; bit++) {
		struct apply_run run = {.old = old, .patch = &flipped, .expected_size = expected_size};

		flipped.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)apply_run(&run); /* either result is right */
		flipped.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		bytes_free(&run.out);
	}
	bytes_free(&flipped);
}
