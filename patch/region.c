/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/region.h"

#include "patch/codec.h"
#include "patch/origin.h"
#include "patch/space.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct region_search {
	struct image old;
	struct image new;
	const struct alignment *alignment;
	struct regions *old_regions;
	struct regions *new_regions;
	int64_t *shared;          /* of each old region: how many bytes of the present new one lie along it */
	struct alignment present; /* of what lies along each other in two regions */
	struct error *error;
};

static int list_regions(struct regions *regions, const struct region_image *image, struct error *error)
{
	const struct region_borders *borders = &image->borders;

	*regions = (struct regions){.list = calloc(borders->count + 1, sizeof(*regions->list)), .count = 1};
	if (!regions->list)
		return patch_no_memory(error);
	for (size_t i = 0; i < borders->count; i++) {
		if (borders->list[i] > regions->list[regions->count - 1].begin &&
		    borders->list[i] < (uint64_t)image->image.size)
			regions->list[regions->count++].begin = borders->list[i];
	}
	return 0;
}

/* The region's bytes as an image. */
static struct image cut_out(const struct image *image, const struct regions *regions, size_t region)
{
	int64_t begin = (int64_t)regions->list[region].begin;
	int64_t end = region + 1 < regions->count ? (int64_t)regions->list[region + 1].begin : image->size;

	return (struct image){.data = image->data + begin, .size = end - begin};
}

/* The part of a stretch that lies in both of these, counted from their begins; nothing is left of its literals. */
static struct stretch clip(const struct stretch *stretch, int64_t old_begin, int64_t old_size, int64_t new_begin,
                           int64_t new_size)
{
	int64_t old_at = stretch->old_at - old_begin, new_at = stretch->new_at - new_begin;
	int64_t first = 0, end = stretch->add;

	first = -old_at > first ? -old_at : first;
	first = -new_at > first ? -new_at : first;
	end = old_size - old_at < end ? old_size - old_at : end;
	end = new_size - new_at < end ? new_size - new_at : end;
	return (struct stretch){
		.new_at = new_at + first, .old_at = old_at + first, .add = end > first ? end - first : 0};
}

static struct stretch clip_to(const struct region_search *search, const struct stretch *stretch, size_t old_region,
                              size_t new_region)
{
	struct image old = cut_out(&search->old, search->old_regions, old_region);
	struct image new = cut_out(&search->new, search->new_regions, new_region);

	return clip(stretch, old.data - search->old.data, old.size, new.data - search->new.data, new.size);
}

/* Whether the stretch begins before the new region ends. */
static bool begins_before_end(const struct region_search *search, size_t stretch, size_t new_region)
{
	struct image new = cut_out(&search->new, search->new_regions, new_region);

	return stretch < search->alignment->count &&
	       search->alignment->stretches[stretch].new_at < new.data - search->new.data + new.size;
}

/* The old region along which most of a new one lies. `first`: its first stretch. */
static size_t find_partner(const struct region_search *search, size_t new_region, size_t first)
{
	size_t best = 0;

	memset(search->shared, 0, search->old_regions->count * sizeof(*search->shared));
	for (size_t i = first; begins_before_end(search, i, new_region); i++) {
		for (size_t region = 0; region < search->old_regions->count; region++)
			search->shared[region] +=
				clip_to(search, &search->alignment->stretches[i], region, new_region).add;
	}
	for (size_t region = 1; region < search->old_regions->count; region++)
		best = search->shared[region] > search->shared[best] ? region : best;
	return best;
}

static int find_origin(struct region_search *search, size_t old_region, size_t new_region, size_t first)
{
	struct region *old_to = &search->old_regions->list[old_region];
	struct region *new_to = &search->new_regions->list[new_region];
	struct image old = cut_out(&search->old, search->old_regions, old_region);
	struct image new = cut_out(&search->new, search->new_regions, new_region);
	int err;

	if (space_is_told(&old) && space_is_told(&new))
		return 0;
	search->present.count = 0;
	for (size_t i = first; begins_before_end(search, i, new_region); i++) {
		struct stretch part = clip_to(search, &search->alignment->stretches[i], old_region, new_region);

		if (part.add > 0)
			search->present.stretches[search->present.count++] = part;
	}
	err = origin_find(&old, &new, &search->present, &new_to->origin, search->error);
	if (old_to->origin == 0)
		old_to->origin = new_to->origin;
	return err;
}

int regions_find(struct regions *old_regions, struct regions *new_regions, const struct region_image *old_image,
                 const struct region_image *new_image, const struct alignment *alignment, struct error *error)
{
	struct region_search search = {.old = old_image->image,
	                               .new = new_image->image,
	                               .alignment = alignment,
	                               .old_regions = old_regions,
	                               .new_regions = new_regions,
	                               .error = error};
	size_t first = 0;
	int err = list_regions(old_regions, old_image, error);

	*new_regions = (struct regions){.count = 0};
	if (err == 0)
		err = list_regions(new_regions, new_image, error);
	if (err < 0)
		return err;
	search.shared = malloc(old_regions->count * sizeof(*search.shared));
	search.present.stretches = malloc((alignment->count + 1) * sizeof(*search.present.stretches));
	if (!search.shared || !search.present.stretches)
		err = patch_no_memory(error);
	for (size_t region = 0; err == 0 && region < new_regions->count; region++) {
		while (first < alignment->count &&
		       (uint64_t)(alignment->stretches[first].new_at + alignment->stretches[first].add) <=
		               new_regions->list[region].begin)
			first++;
		err = find_origin(&search, find_partner(&search, region, first), region, first);
	}
	free(search.shared);
	free(search.present.stretches);
	return err;
}

void regions_free(struct regions *regions)
{
	free(regions->list);
	*regions = (struct regions){.list = NULL};
}
