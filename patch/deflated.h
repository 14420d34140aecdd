/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_DEFLATED_H
#define PATCH_DEFLATED_H

/*
 * Deflated data in an image: gzip members (RFC 1952) and entries of zip archives (APPNOTE 4.3.7, by their local
 * headers), wherever they lie in it. Checksums are not looked at: a wrong guess does no harm, it only saves nothing.
 */
#include "patch/buffer.h"
#include "patch/match.h"
#include "patch/redeflate.h"
#include <stdbool.h>

/* What inflates to more is left as it is: updaters of the lineage hold all of it in memory. */
#define DEFLATED_PLAIN_MAX (256 << 20)

struct deflated {
	int64_t at; /* the raw DEFLATE data */
	int64_t size;
	int64_t plain_size;  /* what they inflate to; at least 1, at most DEFLATED_PLAIN_MAX */
	const uint8_t *name; /* of a zip entry, in the image; NULL: gzip */
	size_t name_size;
};

struct deflated_list {
	struct deflated *items; /* in order, none within another; owned */
	size_t count;
	size_t capacity;
};

/*
 * Where the data of the gzip member or zip entry begin whose header is here; not inside the image: there is none. The
 * entry's name goes to found, unless that is NULL.
 */
int64_t deflated_begin(const struct image *image, int64_t at, struct deflated *found);

/* To be freed in any case. */
int deflated_find(struct deflated_list *list, const struct image *image, struct error *error);
void deflated_free(struct deflated_list *list);

int deflated_inflate(const struct image *image, const struct deflated *deflated, struct buffer *plain,
                     struct error *error);

/* Whether zlib makes these data, to the last bit, of what they inflate to, and with which parameters. */
int deflated_find_params(const struct image *image, const struct deflated *deflated, const struct buffer *plain,
                         struct deflate_params *params, bool *found, struct error *error);

#endif
