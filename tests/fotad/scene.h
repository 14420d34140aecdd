/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FOTAD_SCENE_H
#define TESTS_FOTAD_SCENE_H

/* A directory of its own for a test, and what a step said. */
#include "fotad/step.h"

#include <check.h>
#include <stddef.h>

struct scene {
	char root[64];
	struct step_output output;
	char log[16384]; /* "line\n" each */
	char finding[ERROR_MESSAGE_SIZE];
	int percent; /* told last; -1: none. It never falls: the scene sees to that */
};

void scene_open(struct scene *scene);
void scene_close(struct scene *scene);

/* What was said is forgotten, and the output is as for a new step. */
void scene_forget(struct scene *scene);

/* root/name for system calls; of a few static places. */
const char *scene_path(const struct scene *scene, const char *name);

/* A file below the root, parents made. Returns its path, as scene_path(). */
const char *scene_put(struct scene *scene, const char *name, const void *data, size_t size);
const char *scene_put_text(struct scene *scene, const char *name, const char *text);

/* A whole file, NUL behind its last byte; NULL when there is none. The caller frees. */
char *scene_get(const struct scene *scene, const char *name, size_t *size);
bool scene_has(const struct scene *scene, const char *name);

#endif
