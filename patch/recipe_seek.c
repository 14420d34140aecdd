/* SPDX-License-Identifier: Apache-2.0 */
/* Parts that are not decoded whole. */
#include "patch/inflate_seek.h"
#include "patch/recipe_container.h"

#include <stdlib.h>

struct recipe_seek {
	struct reader raw;
	struct old_range range; /* of it, what the coder has made */
	struct inflate_seek *inflate;
};

bool recipe_is_sought(const struct recipe *recipe, uint64_t plain_size)
{
	return (recipe->coder == RECIPE_DEFLATE || recipe->coder == RECIPE_GZIP) && plain_size > RECIPE_WHOLE_MAX;
}

uint64_t recipe_seek_memory(void)
{
	return sizeof(struct recipe_seek) + inflate_seek_memory();
}

int recipe_seek_open(struct recipe_seek **seek, const struct recipe *recipe, const struct reader *raw,
                     uint64_t plain_size, struct error *error)
{
	struct recipe_seek *s = calloc(1, sizeof(*s));
	struct reader coded;
	int err;

	*seek = NULL;
	if (!s)
		return patch_no_memory(error);
	s->raw = *raw;
	s->range = (struct old_range){.old = &s->raw, .error = error};
	err = container_strip(recipe, raw, &s->range.start, &s->range.size, error);
	coded = reader_from_range(&s->range);
	if (err == 0)
		err = inflate_seek_open(&s->inflate, &coded, plain_size, error);
	if (err < 0) {
		free(s);
		return err;
	}
	*seek = s;
	return 0;
}

int recipe_seek_read(struct recipe_seek *seek, uint64_t at, void *buffer, size_t length)
{
	return inflate_seek_read(seek->inflate, at, buffer, length);
}

void recipe_seek_close(struct recipe_seek *seek)
{
	if (!seek)
		return;
	inflate_seek_close(seek->inflate);
	free(seek);
}
