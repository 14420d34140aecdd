/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/rollback.h"

#include "gentools/gentools.h"
#include "gentools/volumes.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

const struct object *rollback_find(const struct tree *tree)
{
	return volumes_find_file(tree, ROLLBACK_FILE);
}

static int parse_file(const struct object *file, uint32_t *index, struct error *error)
{
	struct mapping mapping;
	int err;

	if (file->type != OBJECT_FILE || file->data.size > PACKAGE_ROLLBACK_MAX)
		return error_set(error, RESULT_FORMAT, EINVAL, "no file, or one of more than %d bytes",
		                 PACKAGE_ROLLBACK_MAX);
	err = extent_map(&file->data, &mapping);
	if (err < 0)
		return error_set(error, 0, -err, "%s", strerror(-err));
	err = package_parse_rollback(mapping.data, mapping.size, index, error);
	extent_unmap(&mapping);
	return err;
}

static int read_index(const struct tree *tree, uint32_t *index, struct error *error)
{
	const struct object *file = rollback_find(tree);
	int err = 0;

	*index = 0;
	if (file)
		err = parse_file(file, index, error);
	if (err < 0)
		error_prefix(error, "%s: " ROLLBACK_FILE, tree->name);
	return err;
}

int rollback_compare(const struct tree *source, const struct tree *target, const struct gen_options *options,
                     const struct log *log, struct error *error)
{
	uint32_t old;
	uint32_t new = 0;
	int err = read_index(source, &old, error);

	if (err == 0)
		err = read_index(target, &new, error);
	if (err < 0 || new >= old || !(options->parts & GEN_LINUX))
		return err;
	err = error_set(error, RESULT_ROLLBACK, EPERM,
	                "the rollback index falls from %" PRIu32 " to %" PRIu32 ": modules will refuse the package",
	                old, new);
	if (options->installable)
		return err;
	log_printf(log, "warning: %s", error->message);
	return 0;
}
