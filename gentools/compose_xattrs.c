/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/compose.h"

#include "gentools/tree_xattr.h"

static void put_xattr(const struct step *step, const char *name, const uint8_t *value, size_t size, FILE *out)
{
	(void)fputs("set_xattr(", out);
	compose_quoted(out, step->device);
	(void)fputs(", ", out);
	compose_quoted(out, name);
	(void)fputs(", \"", out);
	for (size_t i = 0; i < size; i++)
		(void)fprintf(out, "%02x", value[i]);
	(void)fputs("\");\n", out);
}

/* All of them, also those that stay: a file that is patched has lost some. What is there already costs no write. */
void compose_xattrs(const struct step *step, FILE *out)
{
	const struct object *old = step->old;
	const struct object *new = step->new;

	if (!new || !new->has_xattrs || step_is_image(step))
		return;
	for (size_t i = 0; old && i < old->xattr_count; i++)
		if (!object_find_xattr(new, old->xattrs[i].name))
			put_xattr(step, old->xattrs[i].name, NULL, 0, out);
	for (size_t i = 0; i < new->xattr_count; i++)
		put_xattr(step, new->xattrs[i].name, new->xattrs[i].value, new->xattrs[i].size, out);
}
