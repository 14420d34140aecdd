/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PATCH_SHOW_H
#define TESTS_PATCH_SHOW_H

/* An image of raw and compressed stretches, and what all ways to its view must show of it. */
#include "patch/view_find.h"
#include "tests/patch/support.h"

struct show {
	struct bytes image;
	struct viewed found; /* by view_find() */
};

/* Takes over what is added. */
void show_add(struct show *show, struct bytes stretch);
struct image show_image(const struct show *show);
void show_free(struct show *show);

/* Find the parts, insist on their count, and on all that is said of views, of this one. */
void show_expect(struct show *show, size_t count);

/* The whole view read, in order and out of it, is this; in no more memory than is said. */
void show_expect_read(const struct view *view, const struct bytes *image, const struct buffer *plain, size_t cache);

/* The image comes out of the view written, whole and from some parts on, in no more memory than is said. */
void show_expect_written(const struct view *view, const struct bytes *image, const struct buffer *plain);

/* Whether these bytes are in the view. */
bool show_has(const struct viewed *viewed, const struct bytes *plain);

struct bytes show_save(const struct view *view);

#endif
