/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/app_check.h"

#include "gentools/model.h"
#include "gentools/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLD_RELEASE "older"

static int add(struct model *model, enum object_type type, const char *path, const char *suffix,
               struct model_node **node)
{
	char place[STORAGE_PATH_MAX];
	int err;

	(void)snprintf(place, sizeof(place), "%s%s", path, suffix);
	err = model_add(model, place, type, node);
	if (err == 0)
		(*node)->inode->mode = 0755;
	return err;
}

static int load(struct model *model, const char *path)
{
	struct model_node *node;
	int err = add(model, OBJECT_DIRECTORY, "cache", "", &node);

	if (err == 0)
		err = add(model, OBJECT_FILE, path + 1, ".releases/" OLD_RELEASE "/file", &node);
	if (err == 0)
		err = add(model, OBJECT_LINK, path + 1, "", &node);
	if (err < 0)
		return err;
	node->inode->link = strdup(OLD_RELEASE);
	return node->inode->link ? 0 : -ENOMEM;
}

/* 1: the same, 0: not. */
static int same_content(const struct model *model, const struct model_node *node, const struct object *object)
{
	char bytes[BODY_BLOCK_SIZE];
	struct mapping mapping;
	int err = node->inode->body.size == object->data.size ? extent_map(&object->data, &mapping) : -ERANGE;

	if (err < 0)
		return err == -ERANGE ? 0 : err;
	err = 1;
	for (size_t done = 0; err == 1 && done < mapping.size; done += sizeof(bytes)) {
		size_t length = mapping.size - done < sizeof(bytes) ? mapping.size - done : sizeof(bytes);

		err = body_read(&model->store, &node->inode->body, done, bytes, length);
		if (err == 0)
			err = memcmp(bytes, (const char *)mapping.data + done, length) == 0;
	}
	extent_unmap(&mapping);
	return err;
}

static const struct model_node *find(const struct model *model, const struct app *app, const struct object *object)
{
	char place[2 * STORAGE_PATH_MAX];

	(void)snprintf(place, sizeof(place), "%s.releases/%s/%s", app->options->path + 1, app->release, object->path);
	return model_find(model, place);
}

static int same_object(const struct model *model, const struct app *app, const struct object *object)
{
	const struct model_node *node = find(model, app, object);
	const struct model_node *first = object->first ? find(model, app, object->first) : NULL;

	if (!node || node->inode->type != object->type || node->inode->uid != object->uid ||
	    node->inode->gid != object->gid)
		return 0;
	if (object->type == OBJECT_LINK)
		return strcmp(node->inode->link, object->link) == 0;
	if (object->first && !(first && first->inode == node->inode))
		return 0;
	if (node->inode->mode != object->mode)
		return 0;
	return object->type == OBJECT_FILE ? same_content(model, node, object) : 1;
}

static bool is_switched(const struct model *model, const struct app *app)
{
	const char *path = app->options->path;
	const struct model_node *node = model_find(model, path + 1);
	char text[STORAGE_PATH_MAX];

	(void)snprintf(text, sizeof(text), "%s.releases/%s", strrchr(path, '/') + 1, app->release);
	if (!node || node->inode->type != OBJECT_LINK || strcmp(node->inode->link, text) != 0)
		return false;
	(void)snprintf(text, sizeof(text), "%s.releases/" OLD_RELEASE, path + 1);
	return !model_find(model, text);
}

static int compare(const struct model *model, const struct app *app, struct error *error)
{
	for (size_t i = 0; i < app->tree->count; i++) {
		const char *path = app->tree->objects[i].path;
		int same = same_object(model, app, &app->tree->objects[i]);

		if (same < 0)
			return error_set(error, 0, -same, "%s: cannot compare: %s", path, strerror(-same));
		if (same == 0)
			return error_set(error, RESULT_VERIFY, EILSEQ, "%s: does not arrive as it is in %s", path,
			                 app->options->folder);
	}
	if (!is_switched(model, app))
		return error_set(error, RESULT_VERIFY, EILSEQ, "%s: does not become the new release",
		                 app->options->path);
	return 0;
}

int app_check(const struct app *app, const char *package, const struct log *log, struct error *error)
{
	const struct verify_inputs inputs = {.package = package, .name = app->options->output};
	struct model model;
	int err = model_open(&model);

	if (err == 0)
		err = load(&model, app->options->path);
	if (err < 0)
		err = error_set(error, 0, -err, "%s: cannot try the package out: %s", spool_folder(), strerror(-err));
	else
		err = verify_install(&model, &inputs, error);
	if (err == 0)
		err = compare(&model, app, error);
	if (err == 0)
		log_printf(log, "verified: %s becomes release %s, %zu objects; an older one goes", app->options->path,
		           app->release, app->tree->count);
	model_free(&model);
	return err;
}
