/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/regzip.h"

#include "patch/regzip_block.h"
#include <stdlib.h>
#include <string.h>

enum {
	WINDOW = 0x8000,
	HASHES = 0x8000,
	LOOKAHEAD_MIN = REGZIP_MATCH_MAX + REGZIP_MATCH_MIN + 1,
	DISTANCE_MAX = WINDOW - LOOKAHEAD_MIN,
	TOO_FAR = 4096, /* for a match of the least length */
};

/* How hard matches are sought (algorithm and figures as in RFC 1951, 4, and in zlib). */
struct effort {
	uint16_t good;  /* a match before it of this length: a quarter of the chain is enough */
	uint16_t lazy;  /* up to this length a match waits for a better one; below level 4: strings in it are entered */
	uint16_t nice;  /* no longer one is sought */
	uint16_t chain; /* strings compared at most */
};

static const struct effort efforts[] = {{0, 0, 0, 0},         {4, 4, 8, 4},        {4, 5, 16, 8},     {4, 6, 32, 32},
                                        {4, 4, 16, 16},       {8, 16, 32, 32},     {8, 16, 128, 128}, {8, 32, 128, 256},
                                        {32, 128, 258, 1024}, {32, 258, 258, 4096}};

struct regzip {
	struct effort effort;
	bool waits; /* for better matches: levels 4 and up */
	bool begun;
	bool ended;
	unsigned here;     /* in the window */
	unsigned ahead;    /* bytes from here on */
	unsigned wanted;   /* more bytes, before anything else happens */
	unsigned added;    /* of them, and not yet in `ahead` */
	int64_t block_at;  /* in the window, or before it */
	unsigned hash;     /* of the bytes before the third from here */
	unsigned match_at; /* the last match that was found */
	unsigned length;   /* of the match at the byte before this one, or two */
	bool has_literal;  /* the byte before this one waits */
	uint16_t heads[HASHES];
	uint16_t chain[WINDOW];
	uint8_t window[2 * WINDOW + REGZIP_MATCH_MAX];
	struct regzip_block block;
};

uint64_t regzip_memory(void)
{
	return sizeof(struct regzip);
}

int regzip_open(struct regzip **regzip, unsigned level, const struct sink *sink, struct error *error)
{
	struct regzip *g = calloc(1, sizeof(*g));

	*regzip = g;
	if (!g)
		return patch_no_memory(error);
	g->effort = efforts[level];
	g->waits = level > 3;
	g->wanted = 2 * WINDOW;
	g->length = REGZIP_MATCH_MIN - 1;
	g->block.sink = sink;
	g->block.level = level;
	regzip_block_begin(&g->block);
	return 0;
}

void regzip_close(struct regzip *regzip)
{
	free(regzip);
}

/* ---- The window ---- */

static uint16_t moved(uint16_t at)
{
	return at >= WINDOW ? (uint16_t)(at - WINDOW) : 0;
}

static void slide(struct regzip *g)
{
	memcpy(g->window, g->window + WINDOW, WINDOW);
	g->match_at -= WINDOW;
	g->here -= WINDOW;
	g->block_at -= WINDOW;
	for (unsigned i = 0; i < HASHES; i++)
		g->heads[i] = moved(g->heads[i]);
	for (unsigned i = 0; i < WINDOW; i++)
		g->chain[i] = moved(g->chain[i]);
}

static void add_hash(struct regzip *g, uint8_t byte)
{
	g->hash = (g->hash << 5 ^ byte) % HASHES;
}

/* Enter the string here. Returns where there is one with the same hash; 0, which is never looked at: nowhere. */
static unsigned enter(struct regzip *g)
{
	unsigned head;

	add_hash(g, g->window[g->here + REGZIP_MATCH_MIN - 1]);
	head = g->heads[g->hash];
	g->chain[g->here % WINDOW] = (uint16_t)head;
	g->heads[g->hash] = (uint16_t)g->here;
	return head;
}

/* ---- Matches ---- */

static unsigned common(const uint8_t *a, const uint8_t *b)
{
	unsigned length = 0;

	while (length < REGZIP_MATCH_MAX && a[length] == b[length])
		length++;
	return length;
}

/* The length of a match that is longer than `length`, if there is one, at g->match_at. Bytes behind the end count. */
static unsigned find_longer(struct regzip *g, unsigned candidate, unsigned length)
{
	const uint8_t *here = g->window + g->here;
	unsigned limit = g->here > DISTANCE_MAX ? g->here - DISTANCE_MAX : 0;
	unsigned left = length >= g->effort.good ? g->effort.chain / 4u : g->effort.chain;

	do {
		const uint8_t *there = g->window + candidate;
		unsigned found;

		if (there[length] != here[length] || there[length - 1] != here[length - 1])
			continue;
		found = common(here, there);
		if (found <= length)
			continue;
		g->match_at = candidate;
		length = found;
		if (length >= g->effort.nice)
			break;
	} while ((candidate = g->chain[candidate % WINDOW]) > limit && --left > 0);
	return length;
}

static unsigned find(struct regzip *g, unsigned candidate, unsigned length)
{
	if (candidate == 0 || g->here - candidate > DISTANCE_MAX || g->here > 2 * WINDOW - LOOKAHEAD_MIN)
		return 0;
	length = find_longer(g, candidate, length);
	return length < g->ahead ? length : g->ahead;
}

static void write_block(struct regzip *g, bool is_last)
{
	regzip_block_write(&g->block, g->block_at >= 0 ? g->window + g->block_at : NULL,
	                   (uint64_t)((int64_t)g->here - g->block_at), is_last);
	g->block_at = g->here;
}

static bool add(struct regzip *g, unsigned distance, unsigned byte)
{
	return regzip_block_add(&g->block, distance, byte, (uint64_t)((int64_t)g->here - g->block_at));
}

static void pass(struct regzip *g, unsigned bytes)
{
	g->here += bytes;
	g->ahead -= bytes;
}

/* Levels 1 to 3: what matches is taken. */
static void step_at_once(struct regzip *g)
{
	unsigned length = find(g, enter(g), REGZIP_MATCH_MIN - 1);
	bool is_full;

	if (length < REGZIP_MATCH_MIN) {
		is_full = add(g, 0, g->window[g->here]);
		pass(g, 1);
	} else {
		is_full = add(g, g->here - g->match_at, length - REGZIP_MATCH_MIN);
		g->ahead -= length;
		if (length <= g->effort.lazy) {
			while (--length > 0) {
				g->here++;
				(void)enter(g);
			}
			g->here++;
		} else {
			g->here += length;
			g->hash = 0;
			add_hash(g, g->window[g->here]);
			add_hash(g, g->window[g->here + 1]);
		}
	}
	if (is_full)
		write_block(g, false);
}

static unsigned find_better(struct regzip *g, unsigned candidate, unsigned before)
{
	unsigned length = before < g->effort.lazy ? find(g, candidate, before) : 0;

	if (length == REGZIP_MATCH_MIN && g->here - g->match_at > TOO_FAR)
		length--;
	return length < REGZIP_MATCH_MIN - 1 ? REGZIP_MATCH_MIN - 1 : length;
}

/* Levels from 4 on: a match is taken when the next byte has no longer one. */
static void step_waiting(struct regzip *g)
{
	unsigned before = g->length;
	unsigned before_at = g->match_at;
	unsigned candidate = enter(g);

	g->length = find_better(g, candidate, before);
	if (before >= REGZIP_MATCH_MIN && g->length <= before) {
		bool is_full = add(g, g->here - 1 - before_at, before - REGZIP_MATCH_MIN);

		g->ahead -= before - 1;
		for (unsigned left = before - 2; left > 0; left--) {
			g->here++;
			(void)enter(g);
		}
		g->here++;
		g->has_literal = false;
		g->length = REGZIP_MATCH_MIN - 1;
		if (is_full)
			write_block(g, false);
		return;
	}
	if (g->has_literal && add(g, 0, g->window[g->here - 1]))
		write_block(g, false);
	g->has_literal = true;
	pass(g, 1);
}

/* ---- Data ---- */

/* As far as it goes without more data; g->wanted is then how many there is room for. */
static void run(struct regzip *g)
{
	if (!g->begun) {
		add_hash(g, g->window[0]);
		add_hash(g, g->window[1]);
		g->begun = true;
	}
	while (g->ahead >= LOOKAHEAD_MIN || (g->ended && g->ahead > 0)) {
		if (g->waits)
			step_waiting(g);
		else
			step_at_once(g);
	}
	if (g->ended)
		return;
	if (g->here >= WINDOW + DISTANCE_MAX)
		slide(g);
	g->wanted = 2 * WINDOW - g->here - g->ahead;
	g->added = 0;
}

static void go_on(struct regzip *g)
{
	g->ahead += g->added;
	g->wanted = g->added = 0;
	run(g);
}

static int write_data(void *ctx, const void *data, size_t length)
{
	struct regzip *g = ctx;
	const uint8_t *bytes = data;

	while (length > 0 && g->block.failed == 0) {
		size_t part = length < g->wanted - g->added ? length : g->wanted - g->added;

		memcpy(g->window + g->here + g->ahead + g->added, bytes, part);
		g->added += (unsigned)part;
		bytes += part;
		length -= part;
		if (g->added == g->wanted)
			go_on(g);
	}
	return g->block.failed;
}

struct sink regzip_sink(struct regzip *regzip)
{
	return (struct sink){.write = write_data, .ctx = regzip};
}

int regzip_finish(struct regzip *regzip)
{
	struct regzip *g = regzip;

	/* What came last fills the window only in part, and then nothing comes. */
	if (g->added > 0)
		go_on(g);
	memset(g->window + g->here + g->ahead, 0, REGZIP_MATCH_MIN - 1);
	g->ended = true;
	run(g);
	if (g->has_literal)
		(void)add(g, 0, g->window[g->here - 1]);
	write_block(g, true);
	return g->block.failed;
}
