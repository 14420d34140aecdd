/* SPDX-License-Identifier: Apache-2.0 */
#include "misc/internal.h"

#include "base/bytes.h"
#include <string.h>
#include <zlib.h>

/*
 * One record, little-endian, the rest of its pages 0xFF. The newest valid one is the state; the others are history.
 *   0  u32 magic     "FOAJ"
 *   4  u16 version   2
 *   6  u16 kind      enum record_kind
 *   8  u32 sequence
 *  12  u32 begun
 *  16  u32 progress
 *  20  u32 last_code
 *  24  u32 upgrade
 *  28  u32 failed
 *  32  u32 stalled
 *  36  0, 8 bytes
 *  44  arguments, NUL-terminated and zero-filled, 768 bytes
 * 812  cause, NUL-terminated and zero-filled, 192 bytes
 *1004  u32 CRC-32 (zlib's) of the bytes before it
 * The brief one, in the bootloader message, has the CRC-32 at 36.
 */
#define MAGIC        UINT32_C(0x4A414F46)
#define VERSION      2
#define AT_ARGUMENTS 44
#define AT_CAUSE     812
#define AT_CHECK     1004

#define BRIEF_CHECK 36

static void encode_numbers(const struct record *record, uint8_t *bytes)
{
	put_le32(bytes, MAGIC);
	put_le16(bytes + 4, VERSION);
	put_le16(bytes + 6, (uint16_t)record->kind);
	put_le32(bytes + 8, record->sequence);
	put_le32(bytes + 12, record->begun);
	put_le32(bytes + 16, record->progress);
	put_le32(bytes + 20, (uint32_t)record->last_code);
	put_le32(bytes + 24, record->upgrade);
	put_le32(bytes + 28, record->failed);
	put_le32(bytes + 32, record->stalled);
}

static void put_check(uint8_t *bytes, size_t at)
{
	put_le32(bytes + at, (uint32_t)crc32(0, bytes, (uInt)at));
}

static bool decode_numbers(const uint8_t *bytes, size_t check, struct record *record)
{
	if (get_le32(bytes) != MAGIC || get_le16(bytes + 4) != VERSION ||
	    get_le32(bytes + check) != (uint32_t)crc32(0, bytes, (uInt)check))
		return false;
	*record = (struct record){.kind = (enum record_kind)get_le16(bytes + 6),
	                          .sequence = get_le32(bytes + 8),
	                          .begun = get_le32(bytes + 12),
	                          .failed = get_le32(bytes + 28),
	                          .stalled = get_le32(bytes + 32),
	                          .progress = get_le32(bytes + 16),
	                          .last_code = (int)get_le32(bytes + 20),
	                          .upgrade = get_le32(bytes + 24)};
	/* The sum is no signature: out of range is as good as damaged. */
	return record->kind <= RECORD_CLOSED && record->begun <= UINT16_MAX && record->failed <= UINT16_MAX &&
	       record->stalled <= UINT16_MAX && record->progress <= 100 && record->last_code >= 0 &&
	       record->last_code <= UINT16_MAX;
}

void record_encode(const struct record *record, uint8_t bytes[RECORD_LENGTH])
{
	memset(bytes, 0, RECORD_LENGTH);
	encode_numbers(record, bytes);
	memcpy(bytes + AT_ARGUMENTS, record->arguments, sizeof(record->arguments));
	memcpy(bytes + AT_CAUSE, record->cause, sizeof(record->cause));
	put_check(bytes, AT_CHECK);
}

bool record_decode(const uint8_t bytes[RECORD_LENGTH], struct record *record)
{
	if (!decode_numbers(bytes, AT_CHECK, record))
		return false;
	memcpy(record->arguments, bytes + AT_ARGUMENTS, sizeof(record->arguments));
	memcpy(record->cause, bytes + AT_CAUSE, sizeof(record->cause));
	return record->arguments[sizeof(record->arguments) - 1] == '\0' &&
	       record->cause[sizeof(record->cause) - 1] == '\0';
}

void record_encode_brief(const struct record *record, uint8_t bytes[RECORD_BRIEF_LENGTH])
{
	encode_numbers(record, bytes);
	put_check(bytes, BRIEF_CHECK);
}

bool record_decode_brief(const uint8_t bytes[RECORD_BRIEF_LENGTH], struct record *record)
{
	return decode_numbers(bytes, BRIEF_CHECK, record);
}
