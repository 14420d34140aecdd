/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/chain.h"

/* What it takes to get to a version, and the version before it on that way. */
struct reach {
	unsigned hops;
	uint64_t bytes;
	unsigned before;
	bool reached;
	bool settled;
};

static bool is_better(unsigned hops, uint64_t bytes, const struct reach *than)
{
	return !than->reached || hops < than->hops || (hops == than->hops && bytes < than->bytes);
}

bool chain_fits(const struct chain_sizes *sizes, unsigned from, unsigned to, uint64_t limit)
{
	uint64_t bytes = sizes->bytes[from * sizes->count + to];

	return from != to && bytes != CHAIN_IMPOSSIBLE && bytes <= limit;
}

/* The one of those reached whose way is final: no other can lead to a better one. */
static bool pick(const struct reach *reach, unsigned count, unsigned *picked)
{
	bool found = false;

	for (unsigned i = 0; i < count; i++) {
		if (!reach[i].reached || reach[i].settled)
			continue;
		if (!found || is_better(reach[i].hops, reach[i].bytes, &reach[*picked]))
			*picked = i;
		found = true;
	}
	return found;
}

static void spread(const struct chain_sizes *sizes, struct reach *reach, unsigned at, uint64_t limit)
{
	for (unsigned to = 0; to < sizes->count; to++) {
		uint64_t bytes;

		if (!chain_fits(sizes, at, to, limit))
			continue;
		bytes = reach[at].bytes + sizes->bytes[at * sizes->count + to];
		if (is_better(reach[at].hops + 1, bytes, &reach[to]))
			reach[to] = (struct reach){
				.hops = reach[at].hops + 1, .bytes = bytes, .before = at, .reached = true};
	}
}

bool chain_find(const struct chain_sizes *sizes, unsigned from, unsigned to, uint64_t limit, struct chain_way *way)
{
	struct reach reach[CHAIN_VERSIONS_MAX] = {0};
	unsigned at = from;

	reach[from].reached = true;
	while (pick(reach, sizes->count, &at)) {
		reach[at].settled = true;
		spread(sizes, reach, at, limit);
	}
	if (!reach[to].reached)
		return false;
	way->hops = reach[to].hops;
	way->bytes = reach[to].bytes;
	at = to;
	for (unsigned i = way->hops + 1; i > 0; i--) {
		way->version[i - 1] = at;
		at = reach[at].before;
	}
	return true;
}
