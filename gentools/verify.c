/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/verify.h"

#include "gentools/capability.h"
#include "gentools/compare.h"
#include "gentools/encrypt.h"
#include "gentools/model.h"
#include "gentools/plan.h"
#include "gentools/tree_xattr.h"
#include "package/crypt.h"
#include "updater/updater.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of a partition when no target tells what it must hold: more than any module's has. Only what is written is. */
#define UNKNOWN_ROOM ((uint64_t)512 << 20)

/* ---- The module that runs the source ---- */

/* files: by the objects' numbers, NULL: none of their names came yet. */
static int load_path(struct model *model, const struct object *object, struct model_inode **files)
{
	uint8_t capability[CAPABILITY_SIZE];
	struct model_node *node;
	char *path;
	int err;

	if (asprintf(&path, "system%s", object->path + strlen("SYSTEM")) < 0)
		return -ENOMEM;
	if (object->file != 0 && files[object->file]) {
		err = model_link(model, path, files[object->file]);
		free(path);
		return err;
	}
	err = model_add(model, path, object->type, &node);
	free(path);
	if (err < 0)
		return err;
	files[object->file] = node->inode;
	node->inode->mode = object->implied ? 0755 : object->mode;
	node->inode->uid = (uint32_t)object->uid;
	node->inode->gid = (uint32_t)object->gid;
	node->inode->node = object->node;
	node->inode->body.base = object->data;
	node->inode->body.size = object->data.size;
	if (object->capabilities != 0) {
		capability_pack(capability, object->capabilities);
		err = model_set_xattr(node->inode, CAPABILITY_XATTR, capability, sizeof(capability));
	}
	for (size_t i = 0; err == 0 && i < object->xattr_count; i++)
		err = model_set_xattr(node->inode, object->xattrs[i].name, object->xattrs[i].value,
		                      object->xattrs[i].size);
	if (err < 0 || object->type != OBJECT_LINK)
		return err;
	node->inode->link = strdup(object->link);
	return node->inode->link ? 0 : -ENOMEM;
}

static bool has_file(const struct object *object)
{
	return object && object->type == OBJECT_FILE;
}

/* Whether a partition's image is another one in the target; those have the first claim to the partition's name. */
static bool is_changed(const struct verify_inputs *inputs, const char *path)
{
	const struct object *old = tree_find(inputs->source, path);
	const struct object *new = inputs->target ? tree_find(inputs->target, path) : NULL;

	return has_file(new) && !(has_file(old) && digest_equal(&old->digest, &new->digest));
}

/* A volume has whole LEBs. */
static uint64_t room_of(const struct object *object, uint64_t room)
{
	uint64_t unit = object->volume && object->unit > 0 ? object->unit : 1;

	return (room + unit - 1) / unit * unit;
}

/* As large as whatever the package may write there. */
static int load_image(struct model *model, const struct verify_inputs *inputs, const struct object *object,
                      uint64_t room)
{
	const struct object *old = tree_find(inputs->source, object->path);
	struct model_node *node;
	const char *name = object->partition ? object->partition : strrchr(object->path, '/') + 1;
	char *path;
	int err;

	/* The partition's name ends at the first dot. */
	if (asprintf(&path, "%s/%.*s", object->volume ? "ubi" : "dev", (int)(1 + strcspn(name + 1, ".")), name) < 0)
		return -ENOMEM;
	err = model_add(model, path, OBJECT_FILE, &node);
	free(path);
	if (err < 0)
		return err == -EEXIST ? 0 : err;
	node->inode->mode = 0600;
	node->inode->image = object;
	if (has_file(old))
		node->inode->body.base = old->data;
	if (room < node->inode->body.base.size)
		room = node->inode->body.base.size;
	node->inode->body.size = room_of(object, room);
	node->inode->volume = object->volume;
	node->inode->leb = object->volume ? object->unit : 0;
	return 0;
}

static int load_images(struct model *model, const struct verify_inputs *inputs, const struct tree *tree, bool changed,
                       uint64_t room)
{
	int err = 0;

	for (size_t i = 0; err == 0 && tree && i < tree->count; i++) {
		const struct object *object = &tree->objects[i];

		if (plan_is_image(object->path) && object->type == OBJECT_FILE &&
		    is_changed(inputs, object->path) == changed)
			err = load_image(model, inputs, object, room);
	}
	return err;
}

/* room: bytes of the largest content that the package has. */
static int load_model(struct model *model, const struct verify_inputs *inputs, uint64_t room)
{
	static const char *const folders[] = {"cache", "dev", "tmp"};
	struct model_inode **files = calloc(inputs->source->linked_files + 1, sizeof(struct model_inode *));
	struct model_node *node;
	int err = files ? 0 : -ENOMEM;

	for (size_t i = 0; err == 0 && i < sizeof(folders) / sizeof(folders[0]); i++) {
		err = model_add(model, folders[i], OBJECT_DIRECTORY, &node);
		if (err == 0)
			node->inode->mode = 0755;
	}
	for (size_t i = 0; err == 0 && i < inputs->source->count; i++)
		if (path_in(inputs->source->objects[i].path, "SYSTEM"))
			err = load_path(model, &inputs->source->objects[i], files);
	free(files);
	for (int changed = 1; err == 0 && changed >= 0; changed--) {
		err = load_images(model, inputs, inputs->source, changed != 0, room);
		if (err == 0)
			err = load_images(model, inputs, inputs->target, changed != 0, room);
	}
	return err;
}

/* ---- The upgrade ---- */

/* What recovery would make of the lines: segments of the whole, and how much of the present one is done. */
struct segments {
	const struct gen_progress *progress;
	double done; /* before the present one */
	double size; /* of the present one */
};

static void tell_progress(void *ctx, const char *line)
{
	struct segments *s = ctx;

	if (strncmp(line, "progress ", 9) == 0) {
		s->done += s->size;
		s->size = strtod(line + 9, NULL);
	} else if (strncmp(line, "set_progress ", 13) == 0) {
		gen_show_progress(s->progress, "verifying", s->done + s->size * strtod(line + 13, NULL));
	}
}

static int install(struct model *model, const struct verify_inputs *inputs, const char *name, struct package *package,
                   struct error *error)
{
	struct segments segments = {.progress = inputs->progress};
	struct storage_ops ops = model_ops();
	struct updater_config config = {
		.package = package,
		.package_path = name,
		.tell = tell_progress,
		.tell_ctx = &segments,
		.confined = true,
	};
	int err = storage_open_medium(&ops, model, NULL, &config.storage, error);

	if (err < 0)
		return err;
	if (updater_run(&config, error) != UPDATER_OK) {
		err = -ECANCELED;
		error_prefix(error, "does not install on the source");
		if (model->full) /* what the updater made of that says nothing about the package */
			err = error_set(error, 0, ENOSPC, "no room to try it out in %s (TMPDIR)", spool_folder());
	}
	storage_close(config.storage);
	if (err < 0)
		error_prefix(error, "%s", name);
	return err;
}

/* Must stay where it is. */
struct opened {
	int fd;
	struct reader file;
	struct package_crypt *crypt; /* NULL: it is not encrypted */
	struct reader zip;
	struct package *package;
};

static int read_package(struct opened *opened, const struct package_crypt_keys *keys, struct error *error)
{
	struct package_limits limits = package_default_limits();
	int err = package_decrypt(&opened->file, keys, &opened->crypt, &opened->zip, error);

	if (err == -ENOKEY && !keys)
		return error_set(error, RESULT_SEALED, ENOKEY,
		                 "it is encrypted: a private key that opens it is needed (--key)");
	if (err < 0)
		return err;
	err = package_open(&opened->zip, &limits, &opened->package, error);
	if (err == 0)
		err = package_test(opened->package, NULL, NULL, error);
	if (err < 0)
		package_crypt_explain(opened->crypt, error);
	return err;
}

static int open_package(const char *path, const char *name, const struct package_crypt_keys *keys,
                        struct opened *opened, struct error *error)
{
	struct stat stat;
	int err;

	*opened = (struct opened){.fd = open(path, O_RDONLY | O_CLOEXEC)};
	if (opened->fd < 0 || fstat(opened->fd, &stat) < 0)
		return error_set(error, 0, errno, "%s: %s", name, strerror(errno));
	opened->file = reader_from_file(&opened->fd, (uint64_t)stat.st_size);
	err = read_package(opened, keys, error);
	if (err < 0)
		error_prefix(error, "%s", name);
	return err;
}

static void close_package(const struct opened *opened)
{
	package_close(opened->package);
	package_crypt_free(opened->crypt);
	if (opened->fd >= 0)
		(void)close(opened->fd); /* only read: nothing to lose */
}

/* The package that follows this one, if any does; its needs stay as they are if none does. */
static int install_next(struct model *model, const struct verify_inputs *inputs, struct package *package,
                        struct needs *needs, struct error *error)
{
	const char *slash = strrchr(inputs->package, '/');
	char name[PACKAGE_NEXT_SIZE];
	struct opened next;
	char *beside = NULL;
	int err = package_next(package, name, error);

	if (err <= 0)
		return err;
	if (asprintf(&beside, "%.*s%s", slash ? (int)(slash - inputs->package) + 1 : 0, inputs->package, name) < 0)
		return error_set(error, 0, ENOMEM, "out of memory");
	err = open_package(inputs->next ? inputs->next : beside, name, inputs->keys, &next, error);
	if (err == 0)
		err = install(model, inputs, name, next.package, error);
	if (err == 0)
		err = needs_count(next.package, recipients_size(inputs->recipients, next.file.size), model, needs,
		                  error);
	close_package(&next);
	free(beside);
	return err;
}

static int report(const struct comparison *comparison, const struct verify_inputs *inputs, const struct log *log,
                  struct error *error)
{
	if (comparison->differences > 0)
		return error_set(error, RESULT_VERIFY, EILSEQ, "%s: %zu differences from %s, the first: %s",
		                 inputs->name, comparison->differences, inputs->target->name, comparison->first);
	log_printf(log, "verified: installed on %s it yields %s; %zu objects compared", inputs->source->name,
	           inputs->target->name, comparison->objects);
	return 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int try_package(const struct verify_inputs *inputs, struct package *package, uint64_t bytes,
                       const struct log *log, struct needs *needs, struct error *error)
{
	struct comparison comparison = {0};
	struct needs second = {0};
	struct model model;
	uint64_t room = inputs->target ? package_largest_entry(package) : UNKNOWN_ROOM;
	int err;

	for (size_t i = 0; inputs->target && i < inputs->target->count; i++)
		if (room < inputs->target->objects[i].data.size)
			room = inputs->target->objects[i].data.size;
	err = model_open(&model);
	if (err == 0)
		err = load_model(&model, inputs, room);
	if (err < 0) {
		err = error_set(error, 0, -err, "%s: cannot try the package out: %s", spool_folder(), strerror(-err));
		goto out;
	}
	err = install(&model, inputs, inputs->name, package, error);
	if (err == 0)
		err = install_next(&model, inputs, package, &second, error);
	if (err < 0)
		goto out;
	err = needs_count(package, bytes, &model, needs, error);
	if (err < 0)
		goto out;
	needs->package = larger(needs->package, second.package);
	needs->memory = larger(needs->memory, second.memory);
	if (!inputs->target) {
		log_printf(log, "verified: it installs on %s", inputs->source->name);
		goto out;
	}
	err = compare_model(&model, inputs, log, &comparison);
	err = err < 0 ? error_set(error, 0, -err, "%s: cannot compare: %s", spool_folder(), strerror(-err))
	              : report(&comparison, inputs, log, error);
out:
	model_free(&model);
	return err;
}

static int take_stock(const struct verify_inputs *inputs, const struct needs *counted, const struct log *log,
                      struct needs *needs, struct error *error)
{
	int err = needs_check(counted, &inputs->limits, error);

	needs_log(counted, log);
	if (needs)
		*needs = *counted;
	if (err < 0)
		error_prefix(error, "%s", inputs->name);
	return err;
}

int verify_package(const struct verify_inputs *inputs, const struct log *log, struct needs *needs, struct error *error)
{
	struct needs counted = {0};
	struct opened opened;
	int err = open_package(inputs->package, inputs->name, inputs->keys, &opened, error);

	if (err == 0)
		err = try_package(inputs, opened.package, recipients_size(inputs->recipients, opened.file.size), log,
		                  &counted, error);
	if (err == 0)
		err = take_stock(inputs, &counted, log, needs, error);
	close_package(&opened);
	return err;
}

int verify_install(struct model *model, const struct verify_inputs *inputs, struct error *error)
{
	struct opened opened;
	int err = open_package(inputs->package, inputs->name, inputs->keys, &opened, error);

	if (err == 0)
		err = install(model, inputs, inputs->name, opened.package, error);
	close_package(&opened);
	return err;
}
