/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void take(void *ctx, const struct step_message *message)
{
	struct scene *scene = ctx;
	size_t used = strlen(scene->log);

	if (message->kind == STEP_LOG) {
		(void)snprintf(scene->log + used, sizeof(scene->log) - used, "%s\n", message->text);
	} else if (message->kind == STEP_FINDING) {
		(void)snprintf(scene->finding, sizeof(scene->finding), "%s", message->text);
	} else {
		ck_assert_uint_eq(message->kind, STEP_PERCENT);
		ck_assert_int_gt(message->value, scene->percent);
		scene->percent = message->value;
	}
}

void scene_forget(struct scene *scene)
{
	scene->output = (struct step_output){.send = take, .ctx = scene};
	scene->log[0] = '\0';
	scene->finding[0] = '\0';
	scene->percent = -1;
}

void scene_open(struct scene *scene)
{
	(void)snprintf(scene->root, sizeof(scene->root), "/tmp/fotad-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scene->root));
	scene_forget(scene);
}

static int remove_each(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scene_close(struct scene *scene)
{
	ck_assert_int_eq(nftw(scene->root, remove_each, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *scene_path(const struct scene *scene, const char *name)
{
	static char places[4][256];
	static unsigned next;
	char *path = places[next++ % 4];

	(void)snprintf(path, sizeof(places[0]), "%s/%s", scene->root, name);
	return path;
}

const char *scene_put(struct scene *scene, const char *name, const void *data, size_t size)
{
	char directory[256];
	const char *path = scene_path(scene, name);
	FILE *file;

	(void)snprintf(directory, sizeof(directory), "%s", path);
	for (char *slash = directory + strlen(scene->root); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		ck_assert(mkdir(directory, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
	return path;
}

const char *scene_put_text(struct scene *scene, const char *name, const char *text)
{
	return scene_put(scene, name, text, strlen(text));
}

char *scene_get(const struct scene *scene, const char *name, size_t *size)
{
	FILE *file = fopen(scene_path(scene, name), "r");
	char *data;

	if (!file)
		return NULL;
	data = calloc(1, 1 << 20);
	ck_assert_ptr_nonnull(data);
	*size = fread(data, 1, (1 << 20) - 1, file);
	ck_assert(feof(file));
	(void)fclose(file); /* only read */
	return data;
}

bool scene_has(const struct scene *scene, const char *name)
{
	return access(scene_path(scene, name), F_OK) == 0;
}
