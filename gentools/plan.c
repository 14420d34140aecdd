/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/plan.h"

#include "gentools/gentools.h"
#include "gentools/tree_xattr.h"
#include "gentools/volumes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRMWARE   "SYSTEM/firmware"
#define BOOT_IMAGE "BOOTABLE_IMAGES/boot.img"
#define IMAGES     "MULTIFOTA"

bool plan_is_late(const char *path)
{
	return strcmp(path, "SYSTEM/build.prop") == 0 || strcmp(path, PLAN_VERSION_FILE) == 0;
}

/* The root directories and mount points themselves stay as they are. */
unsigned plan_part_of(const char *path)
{
	if (strcmp(path, BOOT_IMAGE) == 0)
		return GEN_KERNEL;
	if (strcmp(path, VOLUMES_SYSTEM) == 0)
		return GEN_LINUX;
	if (strcmp(path, VOLUMES_FIRMWARE) == 0)
		return GEN_MODEM;
	if (path_in(path, IMAGES))
		return strcmp(path, IMAGES) == 0 ? 0 : GEN_MULTI;
	if (path_in(path, FIRMWARE))
		return strcmp(path, FIRMWARE) == 0 ? 0 : GEN_MODEM;
	if (path_in(path, "SYSTEM"))
		return strcmp(path, "SYSTEM") == 0 ? 0 : GEN_LINUX;
	return 0;
}

bool plan_is_image(const char *path)
{
	unsigned part = plan_part_of(path);

	return (part & (GEN_KERNEL | GEN_MULTI)) != 0 || (part != 0 && path_in(path, VOLUMES_FOLDER));
}

static int out_of_memory(struct error *error)
{
	return error_set(error, 0, ENOMEM, "out of memory");
}

static struct step *add_step(struct plan *plan, enum step_kind kind, const char *path, const struct object *old,
                             const struct object *new)
{
	struct step *step;

	if (plan->count == plan->capacity) {
		size_t capacity = plan->capacity ? 2 * plan->capacity : 64;
		struct step *steps = reallocarray(plan->steps, capacity, sizeof(*steps));

		if (!steps)
			return NULL;
		plan->steps = steps;
		plan->capacity = capacity;
	}
	step = &plan->steps[plan->count++];
	*step = (struct step){.kind = kind, .path = path, .old = old, .new = new};
	return step;
}

/* The package's names are stricter than a file system's (package/package.h). */
static bool is_entry_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\')
			return false;
	return strlen(name) < PACKAGE_NAME_MAX;
}

static int name_entry(struct step *step, const char *prefix, const char *name, struct error *error)
{
	if (asprintf(&step->entry, "%s%s", prefix, name) < 0) {
		step->entry = NULL;
		return out_of_memory(error);
	}
	if (is_entry_name(step->entry))
		return 0;
	return error_set(error, RESULT_FORMAT, EINVAL,
	                 "%s: a name with a control character or backslash, or one this long, cannot be in a package",
	                 step->path);
}

/* Where a path of the trees is on the device; NULL: out of memory. */
static char *place_of(const char *path)
{
	char *place;

	return asprintf(&place, "/system%s", path + strlen("SYSTEM")) < 0 ? NULL : place;
}

/* A step for an object of the file system. */
static int add_path(struct plan *plan, enum step_kind kind, const char *path, const struct object *old,
                    const struct object *new, struct step **added, struct error *error)
{
	struct step *step = add_step(plan, kind, path, old, new);

	if (step)
		step->device = place_of(path);
	if (!step || !step->device)
		return out_of_memory(error);
	step->late = plan_is_late(path);
	*added = step;
	switch (kind) {
	case STEP_WHOLE:
		step->data = new->data;
		/* "system" is unpacked at once, and before all that is late. */
		return name_entry(step, step->late ? "late/" : "", step->device + 1, error);
	case STEP_DIRECTORY:
		return name_entry(step, "", step->device + 1, error);
	default:
		return 0;
	}
}

/*
 * Always a patch, however small the file: what is patched is checked before anything changes, and every updater of the
 * lineage replaces it at once, while one that unpacks into place leaves half a file behind when power goes.
 */
static int plan_content(struct plan *plan, const struct object *old, const struct object *new, struct error *error)
{
	struct step *step;

	return add_path(plan, STEP_PATCH, new->path, old, new, &step, error);
}

/* Links have no mode of their own. */
static bool same_metadata(const struct object *old, const struct object *new)
{
	return old->implied || new->implied ||
	       (old->uid == new->uid && old->gid == new->gid && (old->mode == new->mode || new->type == OBJECT_LINK) &&
	        (!new->has_capabilities || old->capabilities == new->capabilities));
}

/* What is written whole takes the place of whatever is there: nothing of the old is asked for. */
static int plan_new(struct plan *plan, const struct object *old, const struct object *new, struct error *error)
{
	static const enum step_kind kinds[] = {[OBJECT_FILE] = STEP_WHOLE,
	                                       [OBJECT_DIRECTORY] = STEP_DIRECTORY,
	                                       [OBJECT_LINK] = STEP_LINK,
	                                       [OBJECT_NODE] = STEP_NODE};
	struct step *step;

	return add_path(plan, new->first ? STEP_HARD_LINK : kinds[new->type], new->path, old, new, &step, error);
}

/* Whether the trees differ in nothing of it. */
static bool same_file(const struct object *old, const struct object *new)
{
	if (!old || old->type != OBJECT_FILE || new->whole || new->forced || new->apart_from)
		return false;
	return digest_equal(&old->digest, &new->digest) && same_metadata(old, new) && object_same_xattrs(old, new);
}

/* A name of the file that the first one was already a name of, which is as it was; and so on the module, too. */
static bool is_linked(const struct tree *source, const struct object *old, const struct object *new)
{
	const struct object *first = tree_find(source, new->first->path);

	return !new->whole &&first && first->file != 0 && first->file == old->file &&same_file(first, new->first);
}

/* Of a file that others keep: what is there goes first, and what may be its like comes from the package. */
static int plan_anew(struct plan *plan, const struct object *old, const struct object *new, struct error *error)
{
	struct step *step;
	int err = add_path(plan, STEP_DELETE, new->path, old, NULL, &step, error);

	if (err < 0)
		return err;
	step->makes_way = true;
	return plan_new(plan, NULL, new, error);
}

static int plan_change(struct plan *plan, const struct object *old, const struct object *new, struct error *error)
{
	struct step *step;

	if (new->anew)
		return plan_anew(plan, old, new, error);
	if (new->first)
		return is_linked(plan->source, old, new) ? 0 : plan_new(plan, old, new, error);
	if (new->whole)
		return plan_new(plan, old, new, error);
	if (new->type == OBJECT_FILE && !digest_equal(&old->digest, &new->digest))
		return plan_content(plan, old, new, error);
	if (new->type == OBJECT_LINK && strcmp(old->link, new->link) != 0)
		return add_path(plan, STEP_LINK, new->path, old, new, &step, error);
	if (!object_same_node(old, new))
		return add_path(plan, STEP_NODE, new->path, old, new, &step, error);
	if (new->forced || new->apart_from || !same_metadata(old, new) || !object_same_xattrs(old, new))
		return add_path(plan, STEP_METADATA, new->path, old, new, &step, error);
	return 0;
}

/*
 * Of a directory that goes with all that is in it, one step tells everything. What becomes a directory is deleted as
 * one, too: after a power cut the script starts anew and may find the new directory there.
 */
static int plan_deletion(struct plan *plan, const struct object *old, const struct object *new, const char **gone,
                         struct error *error)
{
	bool tree = old->type == OBJECT_DIRECTORY || (new &&new->type == OBJECT_DIRECTORY);
	struct step *step = NULL;
	int err;

	if (*gone && path_in(old->path, *gone))
		return 0;
	if (tree)
		*gone = old->path;
	err = add_path(plan, tree ? STEP_DELETE_TREE : STEP_DELETE, old->path, old, NULL, &step, error);
	if (step)
		step->makes_way = new != NULL;
	return err;
}

static int plan_path(struct plan *plan, const struct object *old, const struct object *new, const char **gone,
                     struct error *error)
{
	int err = 0;

	if (old && new && old->type == new->type)
		return plan_change(plan, old, new, error);
	if (old)
		err = plan_deletion(plan, old, new, gone, error);
	if (err == 0 && new)
		err = plan_new(plan, NULL, new, error);
	return err;
}

/* The partition is the one it was given, or the image's name up to the first dot. */
static int name_image(const struct plan *plan, struct step *step, struct error *error)
{
	const char *path = step->path;
	const char *name = strrchr(path, '/') + 1;
	const char *given = step->new->partition;
	size_t length = strspn(name, TREE_PARTITION_CHARACTERS);

	if (!given && (length == 0 || (name[length] != '.' && name[length] != '\0')))
		return error_set(error, RESULT_FORMAT, EINVAL, "%s: its name up to the dot is no partition name", path);
	step->device = given ? strdup(given) : strndup(name, length);
	if (!step->device)
		return out_of_memory(error);
	for (const struct step *s = plan->steps; s < step; s++)
		if (step_is_image(s) && s->new->volume == step->new->volume && strcmp(s->device, step->device) == 0)
			return error_set(error, RESULT_FORMAT, EINVAL, "%s and %s are for the same partition", s->path,
			                 path);
	return step->kind == STEP_RAW_WHOLE ? name_entry(step, "images/", name, error) : 0;
}

static int plan_image(struct plan *plan, const char *path, const struct object *old, const struct object *new,
                      const struct log *log, struct error *error)
{
	struct step *step;

	if (!new) {
		log_printf(log, "keep %s: its partition stays as it is, the target has no image", path);
		return 0;
	}
	if (new->type == OBJECT_DIRECTORY)
		return 0;
	if (new->type != OBJECT_FILE || (old && old->type != OBJECT_FILE))
		return error_set(error, RESULT_FORMAT, EINVAL, "%s: an image must be a file", path);
	/* The lineage's names of partition content take no size 0 (spec/lineage.md 2.3). */
	if (new->data.size == 0 || (old && old->data.size == 0))
		return error_set(error, RESULT_FORMAT, EINVAL, "%s: an image must not be empty", path);
	if (old && !new->whole && digest_equal(&old->digest, &new->digest))
		return 0;
	step = add_step(plan, old && !new->whole ? STEP_RAW_PATCH : STEP_RAW_WHOLE, path, old, new);
	if (!step)
		return out_of_memory(error);
	if (step->kind == STEP_RAW_WHOLE)
		step->data = new->data;
	return name_image(plan, step, error);
}

static int plan_object(struct plan *plan, const char *path, const struct object *old, const struct object *new,
                       unsigned parts, const char **gone, const struct log *log, struct error *error)
{
	unsigned part = plan_part_of(path) & parts;

	if (part && plan_is_image(path))
		return plan_image(plan, path, old, new, log, error);
	return part ? plan_path(plan, old, new, gone, error) : 0;
}

int plan_make(struct plan *plan, const struct tree *source, const struct tree *target, unsigned parts,
              const struct log *log, struct error *error)
{
	const char *gone = NULL;
	size_t i = 0;
	size_t j = 0;
	int err;

	*plan = (struct plan){.spool = {.fd = -1}, .source = source, .target = target};
	err = spool_open(&plan->spool);
	if (err < 0)
		return error_set(error, 0, -err, "%s: cannot make a temporary file: %s", spool_folder(),
		                 strerror(-err));
	while (err == 0 && (i < source->count || j < target->count)) {
		int order = tree_compare_next(source, i, target, j);
		const char *path = order <= 0 ? source->objects[i].path : target->objects[j].path;
		const struct object *old = order <= 0 ? &source->objects[i++] : NULL;
		const struct object *new = order >= 0 ? &target->objects[j++] : NULL;

		err = plan_object(plan, path, old, new, parts, &gone, log, error);
	}
	return err;
}

static void free_step(struct step *step)
{
	free(step->device);
	free(step->from);
	free(step->entry);
	free(step->stored);
}

int plan_take_old(struct step *step, enum step_kind kind, const struct object *old, struct error *error)
{
	free(step->entry);
	step->entry = NULL;
	step->kind = kind;
	step->old = old;
	step->data = (struct extent){0};
	step->from = place_of(old->path);
	if (!step->from)
		return out_of_memory(error);
	return 0;
}

void plan_drop_moot(struct plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++) {
		if (plan->steps[i].moot)
			free_step(&plan->steps[i]);
		else
			plan->steps[count++] = plan->steps[i];
	}
	plan->count = count;
}

int plan_add_spools(struct plan *plan, size_t count)
{
	plan->patches = calloc(count, sizeof(*plan->patches));
	if (!plan->patches)
		return -ENOMEM;
	plan->patch_spools = count;
	for (size_t i = 0; i < count; i++)
		plan->patches[i].fd = -1;
	return 0;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free_step(&plan->steps[i]);
	free(plan->steps);
	for (size_t i = 0; i < plan->patch_spools; i++)
		spool_close(&plan->patches[i]);
	free(plan->patches);
	spool_close(&plan->spool);
	*plan = (struct plan){.spool = {.fd = -1}};
}
