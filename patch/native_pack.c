/* SPDX-License-Identifier: Apache-2.0 */
/* Records and packed streams, written. */
#include "patch/native_write.h"

#include "base/bytes.h"
#include <string.h>
#include <zlib.h>

/* What a coding takes more than that of stored bytes. */
#define SETTINGS_SIZE 2u

/* Packed bytes are never many more than the plain ones. */
#define ROOM(size) ((size) + (size) / 16 + 256)

int native_put_number(struct buffer *buffer, uint64_t value, struct error *error)
{
	uint8_t number[NUMBER_SIZE_MAX];

	return buffer_append(buffer, number, number_put(number, value), error);
}

int native_put_signed(struct buffer *buffer, int64_t value, struct error *error)
{
	uint8_t number[NUMBER_SIZE_MAX];

	return buffer_append(buffer, number, number_put_signed(number, value), error);
}

int native_put_record(struct buffer *patch, unsigned type, const struct buffer *body, struct error *error)
{
	uint8_t crc[4];
	size_t at = patch->size;
	uint8_t byte = (uint8_t)type;
	int err = buffer_append(patch, &byte, 1, error);

	if (err == 0)
		err = native_put_number(patch, body->size, error);
	if (err == 0)
		err = buffer_append(patch, body->data, body->size, error);
	if (err < 0)
		return err;
	put_le32(crc, (uint32_t)crc32_z(0, patch->data + at, patch->size - at));
	return buffer_append(patch, crc, sizeof(crc), error);
}

/* ---- Packing ---- */

/* How much time the coder takes: a sketch is for a comparison only. */
enum effort { USUAL, SKETCH };

static int compress_lzma(const struct buffer *plain, const struct native_coding *coding, enum effort effort,
                         struct buffer *packed, struct error *error)
{
	lzma_options_lzma options;
	lzma_filter filters[] = {{LZMA_FILTER_LZMA1, &options}, {LZMA_VLI_UNKNOWN, NULL}};
	int err = buffer_reserve(packed, ROOM(plain->size), error);
	size_t end = packed->size;

	if (err < 0)
		return err;
	if (lzma_lzma_preset(&options, LZMA_PRESET_DEFAULT))
		return error_set(error, 0, ENOTSUP, "patch: LZMA lacks its usual settings");
	if (effort == SKETCH) {
		options.mode = LZMA_MODE_FAST;
		options.mf = LZMA_MF_HC4;
	}
	options.lc = coding->lc;
	options.lp = coding->lp;
	options.pb = coding->pb;
	options.dict_size = UINT32_C(1) << coding->dictionary;
	switch (lzma_raw_buffer_encode(filters, NULL, plain->data, plain->size, packed->data, &end, packed->capacity)) {
	case LZMA_OK:
		packed->size = end;
		return 0;
	case LZMA_MEM_ERROR:
		return patch_no_memory(error);
	default:
		return error_set(error, 0, EIO, "patch: LZMA cannot pack %zu bytes", plain->size);
	}
}

/* How many packed bytes the coder has taken when it has made each of the pieces. */
int native_split(const struct native_coding *coding, const struct buffer *packed, const size_t *plain, size_t count,
                 size_t *sizes, struct error *error)
{
	struct pool pool = {.limit = UINT64_MAX};
	struct native_packed reader = {.coder = NATIVE_STORED};
	uint8_t piece[4096];
	int err = native_packed_open(&reader, coding, &pool, error);

	if (err == 0)
		err = native_packed_feed(&reader, packed->data, packed->size, error);
	for (size_t i = 0; err == 0 && i < count; i++) {
		size_t before = reader.left;

		for (size_t left = plain[i]; err == 0 && left > 0;) {
			size_t n = left < sizeof(piece) ? left : sizeof(piece);

			err = native_packed_read(&reader, piece, n, error);
			left -= n;
		}
		sizes[i] = before - reader.left;
	}
	native_packed_close(&reader);
	return err;
}

/* Of a small stream the bytes at the end count that no decoder needs to make all of the data: the marker of its end. */
#define SMALL 4096u

static void trim(const struct native_coding *coding, size_t size, struct buffer *packed)
{
	size_t used;

	/* Without what the decoder has not even looked at there are few bytes to try. */
	if (native_split(coding, packed, &size, 1, &used, NULL) == 0)
		packed->size = used;
	while (packed->size > 0) {
		packed->size--;
		if (native_split(coding, packed, &size, 1, &used, NULL) < 0) {
			packed->size++;
			return;
		}
	}
}

static uint8_t dictionary_for(size_t size, unsigned most)
{
	uint8_t log = NATIVE_DICTIONARY_MIN;

	while (log < most && size >> log > 0)
		log++;
	return log;
}

/* The settings that are tried: found by trial on ELF files and kernels. */
struct settings {
	uint8_t lc, lp, pb;
};
static const struct {
	size_t count;
	struct settings list[2];
} trials[] = {
	[NATIVE_OF_NUMBERS] = {.count = 1, .list = {{0, 0, 0}}},
	[NATIVE_OF_RESIDUE] = {.count = 2, .list = {{0, 0, 0}, {0, 2, 2}}},
	[NATIVE_OF_BYTES] = {.count = 1, .list = {{3, 0, 0}}},
};

static struct native_coding coding_of(const struct settings *settings, size_t size, unsigned dictionary_max)
{
	return (struct native_coding){.coder = NATIVE_LZMA,
	                              .lc = settings->lc,
	                              .lp = settings->lp,
	                              .pb = settings->pb,
	                              .dictionary = dictionary_for(size, dictionary_max)};
}

/* The settings that make least of it, and how many bytes that is, about. */
static int choose(const struct buffer *plain, enum native_content content, unsigned dictionary_max,
                  struct native_coding *coding, size_t *size, struct error *error)
{
	struct buffer trial = {0};
	int err = 0;

	*size = SIZE_MAX;
	for (size_t i = 0; err == 0 && i < trials[content].count; i++) {
		struct native_coding candidate = coding_of(&trials[content].list[i], plain->size, dictionary_max);

		trial.size = 0;
		err = compress_lzma(plain, &candidate, SKETCH, &trial, error);
		if (err == 0 && trial.size < *size) {
			*size = trial.size;
			*coding = candidate;
		}
	}
	buffer_free(&trial);
	return err;
}

int native_sketch(const struct buffer *plain, enum native_content content, unsigned dictionary_max, size_t *size,
                  struct error *error)
{
	struct native_coding coding;

	return choose(plain, content, dictionary_max, &coding, size, error);
}

int native_pack(const struct buffer *plain, enum native_content content, unsigned dictionary_max,
                struct native_coding *coding, struct buffer *packed, struct error *error)
{
	struct native_coding lzma = coding_of(&trials[content].list[0], plain->size, dictionary_max);
	size_t size;
	int err = 0;

	*coding = (struct native_coding){.coder = NATIVE_STORED};
	packed->size = 0;
	if (plain->size == 0)
		return 0;
	if (trials[content].count > 1)
		err = choose(plain, content, dictionary_max, &lzma, &size, error);
	if (err == 0)
		err = compress_lzma(plain, &lzma, USUAL, packed, error);
	if (err < 0)
		return err;
	if (packed->size < SMALL)
		trim(&lzma, plain->size, packed);
	if (packed->size + SETTINGS_SIZE < plain->size) {
		*coding = lzma;
		return 0;
	}
	packed->size = 0;
	return buffer_append(packed, plain->data, plain->size, error);
}

#define RECORD_DICTIONARY_MAX 18u

int native_put_packed(struct buffer *records, unsigned type, const struct buffer *plain, struct error *error)
{
	struct buffer packed = {0};
	struct buffer body = {0};
	struct native_coding coding;
	uint8_t settings[3];
	int err = native_pack(plain, NATIVE_OF_NUMBERS, RECORD_DICTIONARY_MAX, &coding, &packed, error);

	if (err == 0)
		err = native_put_number(&body, plain->size, error);
	if (err == 0)
		err = buffer_append(&body, settings, native_coding_write(settings, &coding), error);
	if (err == 0)
		err = buffer_append(&body, packed.data, packed.size, error);
	if (err == 0)
		err = native_put_record(records, type, &body, error);
	buffer_free(&body);
	buffer_free(&packed);
	return err;
}
