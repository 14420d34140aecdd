/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SIZE (1u << 20) /* bytes: ten thousands of lines */

static const char *const names[GEN_LISTS] = {
	[GEN_FULLOTA] = "quectel_fullota_filelist.txt",
	[GEN_NOOTA] = "quectel_noota_filelist.txt",
	[GEN_CHMOD] = "quectel_chmod_filelist.txt",
	[GEN_MULTIFOTA] = "quectel_multifota_filelist.txt",
};
static const char project_name[] = "quectel_project_filelist.txt";

const char *list_name(enum gen_list kind)
{
	return names[kind];
}

static int read_text(const char *path, char *text, size_t *length)
{
	FILE *file = fopen(path, "rb");
	int err = 0;

	if (!file)
		return -errno;
	*length = fread(text, 1, MAX_SIZE + 1, file);
	if (ferror(file))
		err = -errno;
	else if (*length > MAX_SIZE)
		err = -EFBIG;
	(void)fclose(file); /* nothing was written */
	return err;
}

static int read_list(struct list *list, enum gen_list kind, const struct log *log, struct error *error)
{
	char *text = malloc(MAX_SIZE + 1);
	size_t length = 0;
	int err = text ? read_text(list->file, text, &length) : -ENOMEM;

	if (err < 0)
		err = error_set(error, 0, -err, "%s: cannot read the list: %s", list->file, strerror(-err));
	else
		err = list_parse(list, kind, text, length, error);
	if (err == 0)
		log_printf(log, "list %s: lines that count: %zu", list->file, list->count);
	free(text);
	return err;
}

/* *path stays NULL when the folder has no such file. */
static int find_file(const char *folder, const char *name, char **path)
{
	if (asprintf(path, "%s/%s", folder, name) < 0) {
		*path = NULL;
		return -ENOMEM;
	}
	if (access(*path, F_OK) == 0 || errno != ENOENT)
		return 0;
	free(*path);
	*path = NULL;
	return 0;
}

static int find_list(struct list *list, const char *file, const char *folder, const char *name)
{
	if (!file)
		return folder ? find_file(folder, name, &list->file) : 0;
	list->file = strdup(file);
	return list->file ? 0 : -ENOMEM;
}

static int check_folder(const char *folder, const struct log *log, struct error *error)
{
	struct stat st;
	char *path;
	int err;

	if (stat(folder, &st) != 0)
		return error_set(error, 0, errno, "%s: no folder of lists: %s", folder, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return error_set(error, 0, ENOTDIR, "%s: no folder of lists: %s", folder, strerror(ENOTDIR));
	err = find_file(folder, project_name, &path);
	if (err < 0)
		return error_set(error, 0, -err, "%s: %s", folder, strerror(-err));
	if (path)
		log_printf(log, "list %s: accepted, but has no effect", path);
	free(path);
	return 0;
}

int lists_read(struct lists *lists, const char *const files[GEN_LISTS], const char *folder, const struct log *log,
               struct error *error)
{
	bool any = false;
	int err = folder ? check_folder(folder, log, error) : 0;

	*lists = (struct lists){0};
	for (unsigned kind = 0; err == 0 && kind < GEN_LISTS; kind++) {
		struct list *list = &lists->list[kind];

		err = find_list(list, files[kind], folder, names[kind]);
		if (err < 0)
			return error_set(error, 0, -err, "%s", strerror(-err));
		if (list->file) {
			any = true;
			err = read_list(list, (enum gen_list)kind, log, error);
		}
	}
	if (err == 0 && folder && !any)
		log_printf(log, "warning: %s: has none of the lists, like %s", folder, names[GEN_FULLOTA]);
	return err;
}
