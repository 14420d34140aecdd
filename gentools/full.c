/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/full.h"

#include "gentools/gentools.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYSTEM   "SYSTEM"
#define FIRMWARE "SYSTEM/firmware"

/* ---- The package ---- */

/* The directory itself, so that the list of an empty one has something; and what other parts have in the root's. */
static const char itself[] = "d.";
static const char others[] = "*dev\0*firmware";

static int append_kept(struct plan *plan, struct extent *list, const struct object *object, const char *root)
{
	static const char letters[] = {
		[OBJECT_FILE] = 'f', [OBJECT_DIRECTORY] = 'd', [OBJECT_LINK] = 'l', [OBJECT_NODE] = 'n'};
	const char *below = object->path + strlen(root) + 1;
	int err = spool_append(&plan->spool, list, &letters[object->type], 1);

	return err < 0 ? err : spool_append(&plan->spool, list, below, strlen(below) + 1);
}

static int list_kept(struct plan *plan, struct extent *list, const struct tree *target, enum gen_part part)
{
	bool system = part == GEN_LINUX;
	int err;

	spool_start(&plan->spool, list);
	err = spool_append(&plan->spool, list, itself, sizeof(itself));
	if (err == 0 && system)
		err = spool_append(&plan->spool, list, others, sizeof(others));
	for (size_t i = 0; err == 0 && i < target->count; i++)
		if (plan_part_of(target->objects[i].path) == (unsigned)part)
			err = append_kept(plan, list, &target->objects[i], system ? SYSTEM : FIRMWARE);
	return err;
}

static int add_clearing(struct plan *plan, const struct tree *target, enum gen_part part, struct error *error)
{
	struct plan_clearing *clearing = &plan->clearings[plan->clearing_count++];
	int err;

	*clearing =
		part == GEN_LINUX
			? (struct plan_clearing){.path = SYSTEM, .directory = "/system", .volume = "rootfs"}
			: (struct plan_clearing){.path = FIRMWARE, .directory = "/system/firmware", .volume = "modem"};
	if (plan->formats)
		return 0;
	clearing->entry = part == GEN_LINUX ? "keep.list" : "keep-firmware.list";
	err = list_kept(plan, &clearing->data, target, part);
	return err < 0 ? error_set(error, 0, -err, "cannot list what stays: %s", strerror(-err)) : 0;
}

int full_plan(struct plan *plan, const struct tree *target, unsigned parts, bool native, const struct log *log,
              struct error *error)
{
	static const struct tree nothing = {.spool = {.fd = -1}};
	int err = plan_make(plan, &nothing, target, parts, log, error);

	plan->full = true;
	plan->formats = !native;
	if (err == 0 && (parts & GEN_LINUX))
		err = add_clearing(plan, target, GEN_LINUX, error);
	/* A firmware without a modem's volume has no such directory. */
	if (err == 0 && (parts & GEN_MODEM) && tree_find(target, FIRMWARE))
		err = add_clearing(plan, target, GEN_MODEM, error);
	return err;
}

int full_check_lists(const struct lists *lists, struct error *error)
{
	const struct list *noota = &lists->list[GEN_NOOTA];

	return noota->count == 0
	               ? 0
	               : error_set(error, 0, EINVAL, "%s:%u: %s: a full package keeps nothing of what a module has",
	                           noota->file, noota->lines[0].number, noota->lines[0].path);
}

/* ---- A module to try it out on ---- */

/* A directory, until it is given another type. */
static struct object *add(struct tree *module, const char *path)
{
	struct object *object = tree_add(module, path, strlen(path));

	if (object) {
		object->mode = 0700;
		object->uid = object->gid = 12345;
	}
	return object;
}

static int add_file(struct tree *module, const char *path, const char *text)
{
	struct object *object = add(module, path);
	struct tree_data data;
	int err;

	if (!object)
		return -ENOMEM;
	object->type = OBJECT_FILE;
	tree_data_start(&data, module, object);
	err = tree_data_add(&data, text, strlen(text));
	tree_data_finish(&data);
	return err;
}

static int add_inside(struct tree *module, const char *directory)
{
	char *path = NULL;
	int err;

	if (!add(module, directory) || asprintf(&path, "%s/inside", directory) < 0)
		return -ENOMEM;
	err = add_file(module, path, "of another firmware\n");
	free(path);
	return err;
}

/* A directory that is not empty in the place of a file, a file in that of anything else. */
static int add_other_type(struct tree *module, const struct object *object)
{
	if (object->type == OBJECT_FILE || strcmp(object->path, FIRMWARE) == 0)
		return add_inside(module, object->path);
	return add_file(module, object->path, "of another type\n");
}

static bool is_at_top(const char *path)
{
	size_t length = strlen(SYSTEM "/");

	return strncmp(path, SYSTEM "/", length) == 0 && !strchr(path + length, '/');
}

int full_make_module(struct tree *module, const struct tree *target, struct error *error)
{
	int err;

	*module = (struct tree){.name = "a module with other files", .spool = {.fd = -1}, .digests = target->digests};
	err = spool_open(&module->spool);
	if (err == 0 && !add(module, SYSTEM))
		err = -ENOMEM;
	for (size_t i = 0; err == 0 && i < target->count; i++)
		if (is_at_top(target->objects[i].path))
			err = add_other_type(module, &target->objects[i]);
	return err < 0 ? error_set(error, 0, -err, "cannot make up a module: %s", strerror(-err)) : 0;
}
