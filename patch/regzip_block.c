/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/regzip_block.h"

#include "patch/regzip_huffman.h"
#include <string.h>

enum {
	LITERALS = 256,
	END_OF_BLOCK = 256,
	FIXED_LENGTHS = HUFFMAN_SYMBOLS, /* of the fixed code, two of which are never used */
	LENGTH_CODES = 19,               /* of the code in which the others' lengths are written */
	LENGTH_BITS_MAX = 7,
	REPEAT_3_6 = 16,
	ZEROS_3_10 = 17,
	ZEROS_11_138 = 18,
};
enum { STORED, FIXED, DYNAMIC };

static const uint8_t length_extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                         2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint8_t code_extra[LENGTH_CODES] = {[REPEAT_3_6] = 2, [ZEROS_3_10] = 3, [ZEROS_11_138] = 7};
static const uint8_t code_order[LENGTH_CODES] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

static unsigned distance_extra(unsigned code)
{
	return code < 2 ? 0 : code / 2 - 1;
}

/* ---- Codes of lengths and distances, both counted from 0 ---- */

static unsigned log2_of(unsigned value)
{
	unsigned log = 0;

	while (value >> (log + 1))
		log++;
	return log;
}

static unsigned distance_code(unsigned distance)
{
	unsigned log = distance < 2 ? 0 : log2_of(distance);

	return distance < 2 ? distance : 2 * log + (distance >> (log - 1) & 1);
}

static unsigned distance_base(unsigned code)
{
	return code < 2 ? code : (2 + code % 2) << distance_extra(code);
}

/* The longest match has a code of its own. */
static unsigned length_code(unsigned length)
{
	unsigned log = length < 8 ? 0 : log2_of(length);

	if (length == REGZIP_MATCH_MAX - REGZIP_MATCH_MIN)
		return 28;
	return length < 8 ? length : 4 * log - 4 + (length >> (log - 2) & 3);
}

static unsigned length_base(unsigned code)
{
	return code < 8 ? code : (4 + code % 4) << length_extra[code];
}

static void take_uses(struct huffman *h, const uint32_t *uses, unsigned count)
{
	h->count = count;
	h->bits_max = HUFFMAN_BITS_MAX;
	memcpy(h->uses, uses, count * sizeof(*uses));
	huffman_make(h);
}

/* ---- Bits ---- */

static void write_out(struct regzip_block *b)
{
	if (b->failed == 0)
		b->failed = b->sink->write(b->sink->ctx, b->output, b->used);
	b->used = 0;
}

static void put_byte(struct regzip_block *b, unsigned byte)
{
	b->output[b->used++] = (uint8_t)byte;
	if (b->used == sizeof(b->output))
		write_out(b);
}

static void put(struct regzip_block *b, unsigned bits, unsigned count)
{
	b->bits |= (uint64_t)bits << b->bit_count;
	b->bit_count += count;
	for (; b->bit_count >= 8; b->bit_count -= 8, b->bits >>= 8)
		put_byte(b, b->bits & 0xff);
}

static void put_symbol(struct regzip_block *b, const struct huffman *h, unsigned symbol)
{
	put(b, h->codes[symbol], h->bits[symbol]);
}

static void fill_byte(struct regzip_block *b)
{
	if (b->bit_count > 0)
		put(b, 0, 8 - b->bit_count);
}

/* ---- Lengths of codes, as they are written ---- */

struct lengths {
	unsigned count;
	uint8_t symbols[REGZIP_LENGTHS + REGZIP_DISTANCES];
	uint8_t extras[REGZIP_LENGTHS + REGZIP_DISTANCES];
	struct huffman code;
	unsigned order_count; /* of code_order, how many are written */
};

static void add_length(struct lengths *lengths, unsigned symbol, unsigned extra)
{
	lengths->symbols[lengths->count] = (uint8_t)symbol;
	lengths->extras[lengths->count++] = (uint8_t)extra;
	lengths->code.uses[symbol]++;
}

/* Runs of `run` times the same length. The first of a run that are not zeros is written as it is. */
static void add_run(struct lengths *lengths, unsigned length, unsigned run, bool is_new)
{
	if (length != 0 && is_new) {
		add_length(lengths, length, 0);
		run--;
	}
	if (run < 3) {
		for (; run > 0; run--)
			add_length(lengths, length, 0);
	} else if (length != 0) {
		add_length(lengths, REPEAT_3_6, run - 3);
	} else if (run <= 10) {
		add_length(lengths, ZEROS_3_10, run - 3);
	} else {
		add_length(lengths, ZEROS_11_138, run - 11);
	}
}

static void add_lengths(struct lengths *lengths, const struct huffman *h)
{
	unsigned before = UINT32_MAX;

	for (unsigned at = 0; at <= h->last;) {
		unsigned length = h->bits[at];
		bool is_new = length != before;
		unsigned most = length == 0 ? 138 : is_new ? 7 : 6;
		unsigned run = 1;

		while (run < most && at + run <= h->last && h->bits[at + run] == length)
			run++;
		add_run(lengths, length, run, is_new);
		before = length;
		at += run;
	}
}

static uint64_t lengths_size(struct lengths *lengths)
{
	struct huffman *code = &lengths->code;
	uint64_t bits = 0;

	code->count = LENGTH_CODES;
	code->bits_max = LENGTH_BITS_MAX;
	huffman_make(code);
	lengths->order_count = LENGTH_CODES;
	while (lengths->order_count > 4 && code->bits[code_order[lengths->order_count - 1]] == 0)
		lengths->order_count--;
	for (unsigned i = 0; i < lengths->count; i++)
		bits += code->bits[lengths->symbols[i]] + code_extra[lengths->symbols[i]];
	return bits + UINT64_C(3) * lengths->order_count + 5 + 5 + 4;
}

static void put_lengths(struct regzip_block *b, const struct lengths *lengths, const struct huffman *literals,
                        const struct huffman *distances)
{
	put(b, literals->last + 1 - 257, 5);
	put(b, distances->last + 1 - 1, 5);
	put(b, lengths->order_count - 4, 4);
	for (unsigned i = 0; i < lengths->order_count; i++)
		put(b, lengths->code.bits[code_order[i]], 3);
	for (unsigned i = 0; i < lengths->count; i++) {
		put_symbol(b, &lengths->code, lengths->symbols[i]);
		put(b, lengths->extras[i], code_extra[lengths->symbols[i]]);
	}
}

/* ---- Blocks ---- */

void regzip_block_begin(struct regzip_block *b)
{
	b->count = b->match_count = 0;
	memset(b->length_uses, 0, sizeof(b->length_uses));
	memset(b->distance_uses, 0, sizeof(b->distance_uses));
	b->length_uses[END_OF_BLOCK] = 1;
}

/* Matches are few, and the block has become half as large: what comes next may want other codes. */
static bool pays(const struct regzip_block *b, uint64_t covered)
{
	uint64_t bits = (uint64_t)b->count * 8;

	for (unsigned code = 0; code < REGZIP_DISTANCES; code++)
		bits += (uint64_t)b->distance_uses[code] * (5 + distance_extra(code));
	return b->match_count < b->count / 2 && bits / 8 < covered / 2;
}

bool regzip_block_add(struct regzip_block *b, unsigned distance, unsigned byte, uint64_t covered)
{
	b->distances[b->count] = (uint16_t)distance;
	b->bytes[b->count++] = (uint8_t)byte;
	if (distance == 0) {
		b->length_uses[byte]++;
	} else {
		b->match_count++;
		b->length_uses[LITERALS + 1 + length_code(byte)]++;
		b->distance_uses[distance_code(distance - 1)]++;
	}
	if (b->level > 2 && b->count % 4096 == 0 && pays(b, covered))
		return true;
	return b->count == REGZIP_CODES_MAX;
}

static void put_codes(struct regzip_block *b, const struct huffman *literals, const struct huffman *distances)
{
	for (unsigned i = 0; i < b->count; i++) {
		unsigned byte = b->bytes[i];
		unsigned code = length_code(byte);
		unsigned distance = b->distances[i] - 1u;

		if (b->distances[i] == 0) {
			put_symbol(b, literals, byte);
			continue;
		}
		put_symbol(b, literals, LITERALS + 1 + code);
		put(b, code < 28 ? byte - length_base(code) : 0, length_extra[code]);
		code = distance_code(distance);
		put_symbol(b, distances, code);
		put(b, distance - distance_base(code), distance_extra(code));
	}
	put_symbol(b, literals, END_OF_BLOCK);
}

static void make_fixed(struct huffman *literals, struct huffman *distances)
{
	literals->count = FIXED_LENGTHS;
	for (unsigned symbol = 0; symbol < FIXED_LENGTHS; symbol++)
		literals->bits[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
	distances->count = REGZIP_DISTANCES;
	memset(distances->bits, 5, REGZIP_DISTANCES);
	huffman_number(literals);
	huffman_number(distances);
}

static uint64_t codes_size(const struct regzip_block *b, const struct huffman *literals,
                           const struct huffman *distances)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < REGZIP_LENGTHS; i++)
		bits += (uint64_t)b->length_uses[i] *
		        (literals->bits[i] + (i > LITERALS ? length_extra[i - LITERALS - 1] : 0u));
	for (unsigned i = 0; i < REGZIP_DISTANCES; i++)
		bits += (uint64_t)b->distance_uses[i] * (distances->bits[i] + distance_extra(i));
	return bits;
}

static void put_stored(struct regzip_block *b, const uint8_t *data, size_t size)
{
	fill_byte(b);
	put(b, (unsigned)size & 0xffff, 16);
	put(b, ~(unsigned)size & 0xffff, 16);
	for (size_t i = 0; i < size; i++)
		put_byte(b, data[i]);
}

void regzip_block_write(struct regzip_block *b, const uint8_t *data, uint64_t size, bool is_last)
{
	struct huffman literals = {.count = 0}, distances = {.count = 0};
	struct lengths lengths = {.count = 0};
	uint64_t dynamic_size, fixed_size;

	make_fixed(&literals, &distances);
	fixed_size = (codes_size(b, &literals, &distances) + 3 + 7) / 8;
	take_uses(&literals, b->length_uses, REGZIP_LENGTHS);
	take_uses(&distances, b->distance_uses, REGZIP_DISTANCES);
	add_lengths(&lengths, &literals);
	add_lengths(&lengths, &distances);
	dynamic_size = (lengths_size(&lengths) + codes_size(b, &literals, &distances) + 3 + 7) / 8;
	if (data && size + 4 <= (fixed_size < dynamic_size ? fixed_size : dynamic_size)) {
		put(b, STORED << 1 | is_last, 3);
		put_stored(b, data, (size_t)size);
	} else if (fixed_size <= dynamic_size) {
		put(b, FIXED << 1 | is_last, 3);
		make_fixed(&literals, &distances);
		put_codes(b, &literals, &distances);
	} else {
		put(b, DYNAMIC << 1 | is_last, 3);
		put_lengths(b, &lengths, &literals, &distances);
		put_codes(b, &literals, &distances);
	}
	if (is_last) {
		fill_byte(b);
		write_out(b);
	}
	regzip_block_begin(b);
}
