/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/lists.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS    " \t\r\v\f"
#define MAX_WORDS 6 /* one more than any line may have */

#define VOLUME_PREFIX "UBI:"

/* Where a path of a list leads when it does not start with a folder of targetfiles.zip. */
static const char *root_of(enum gen_list kind)
{
	return kind == GEN_MULTIFOTA ? "MULTIFOTA" : "SYSTEM";
}

static bool is_root(const char *name, size_t length)
{
	static const char *const roots[] = {"SYSTEM", "BOOTABLE_IMAGES", "MULTIFOTA"};

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (strlen(roots[i]) == length && memcmp(roots[i], name, length) == 0)
			return true;
	return false;
}

/* "/etc//x/" to "SYSTEM/etc/x". -EINVAL for a path with "..". */
static int clean_path(const char *text, const char *root, char **path)
{
	char *end = malloc(strlen(root) + strlen(text) + 2);
	size_t n;

	*path = end;
	if (!end)
		return -ENOMEM;
	*end = '\0';
	for (; *text; text += n) {
		n = strcspn(text, "/");
		if (n == 2 && memcmp(text, "..", 2) == 0)
			return -EINVAL;
		if (n > 0 && !(n == 1 && *text == '.')) {
			if (end == *path && !is_root(text, n))
				end = stpcpy(end, root);
			if (end > *path)
				*end++ = '/';
			end = mempcpy(end, text, n);
			*end = '\0';
		}
		n += text[n] == '/';
	}
	if (end == *path)
		(void)stpcpy(end, root);
	return 0;
}

/* At most MAX_WORDS, in place. */
static size_t split_words(char *text, char **words)
{
	size_t count = 0;
	char *rest;

	for (char *word = strtok_r(text, BLANKS, &rest); word && count < MAX_WORDS;
	     word = strtok_r(NULL, BLANKS, &rest))
		words[count++] = word;
	return count;
}

static int parse_image(struct list_line *line, char **words, size_t count, const char **cause)
{
	const char *name;

	if (count > 2) {
		*cause = "more than an image and a partition";
		return -EINVAL;
	}
	if (count < 2)
		return 0;
	line->volume = strncmp(words[1], VOLUME_PREFIX, strlen(VOLUME_PREFIX)) == 0;
	name = words[1] + (line->volume ? strlen(VOLUME_PREFIX) : 0);
	if (!*name || strspn(name, TREE_PARTITION_CHARACTERS) != strlen(name)) {
		*cause = "a partition's name has letters, digits, '_' and '-' alone";
		return -EINVAL;
	}
	line->partition = strdup(name);
	return line->partition ? 0 : -ENOMEM;
}

/* The line's text, without blanks around, is consumed. */
static int parse_columns(struct list_line *line, enum gen_list kind, char *text, struct list_attributes *defaults,
                         const char **cause)
{
	char *words[MAX_WORDS] = {text};
	size_t count = kind == GEN_CHMOD || kind == GEN_MULTIFOTA ? split_words(text, words) : 1;
	int err = 0;

	if (kind == GEN_CHMOD)
		err = list_parse_attributes(line, words, count, defaults, cause);
	if (kind == GEN_MULTIFOTA)
		err = parse_image(line, words, count, cause);
	if (err < 0 || (kind == GEN_CHMOD && strcmp(words[0], "default") == 0))
		return err;
	line->folder = words[0][strlen(words[0]) - 1] == '/';
	err = clean_path(words[0], root_of(kind), &line->path);
	if (err == -EINVAL)
		*cause = "a path with \"..\"";
	if (err == 0 && kind == GEN_MULTIFOTA && strncmp(line->path, "MULTIFOTA/", strlen("MULTIFOTA/")) != 0) {
		*cause = "no image of MULTIFOTA";
		return -EINVAL;
	}
	line->pattern = err == 0 && kind != GEN_CHMOD && strpbrk(line->path, "*?[");
	return err;
}

static int add_line(struct list *list, const struct list_line *line)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 32;
		struct list_line *lines = reallocarray(list->lines, capacity, sizeof(*lines));

		if (!lines)
			return -ENOMEM;
		list->lines = lines;
		list->capacity = capacity;
	}
	list->lines[list->count++] = *line;
	return 0;
}

static void free_line(struct list_line *line)
{
	free(line->path);
	free(line->partition);
}

static int parse_line(struct list *list, enum gen_list kind, unsigned number, const char *text, size_t length,
                      struct list_attributes *defaults, struct error *error)
{
	struct list_line line = {.number = number};
	const char *cause = "a byte 0: not a text in UTF-8";
	char *copy = strndup(text, length);
	char *start = copy ? copy + strspn(copy, BLANKS) : NULL;
	int err = copy ? 0 : -ENOMEM;

	if (copy && strlen(copy) != length)
		err = -EINVAL;
	if (err == 0) {
		for (char *end = start + strlen(start); end > start && strchr(BLANKS, end[-1]); end--)
			end[-1] = '\0';
		if (*start && *start != '#')
			err = parse_columns(&line, kind, start, defaults, &cause);
	}
	if (err == 0 && line.path)
		err = add_line(list, &line);
	if (err < 0 || !line.path)
		free_line(&line);
	free(copy);
	if (err == -EINVAL)
		return error_set(error, 0, EINVAL, "%s:%u: %s", list->file, number, cause);
	return err < 0 ? error_set(error, 0, -err, "%s: %s", list->file, strerror(-err)) : 0;
}

int list_parse(struct list *list, enum gen_list kind, const char *text, size_t length, struct error *error)
{
	struct list_attributes defaults = {.file_mode = 0755, .folder_mode = 0755};
	const char *end = text + length;
	unsigned number = 0;
	int err = 0;

	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (err == 0 && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		err = parse_line(list, kind, ++number, text, (size_t)(stop - text), &defaults, error);
		text = newline ? newline + 1 : end;
	}
	return err;
}

static bool is_for(const struct list_line *line, const char *path)
{
	return path_in(path, line->path) ||
	       (line->pattern && fnmatch(line->path, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0);
}

const struct list_line *list_find(const struct list *list, const char *path)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_for(&list->lines[i], path))
			return &list->lines[i];
	return NULL;
}

/* Whether a part of the pattern before one of its slashes is for the folder. */
static bool pattern_enters(const char *pattern, const char *folder)
{
	bool enters = false;

	for (const char *slash = strchr(pattern, '/'); slash && !enters; slash = strchr(slash + 1, '/')) {
		char *start = strndup(pattern, (size_t)(slash - pattern));

		/* Without memory: what may be on the list counts as on it. */
		enters = !start || fnmatch(start, folder, FNM_PATHNAME) == 0;
		free(start);
	}
	return enters;
}

const struct list_line *list_find_inside(const struct list *list, const char *folder)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct list_line *line = &list->lines[i];

		if (path_in(line->path, folder) || (line->pattern && pattern_enters(line->path, folder)))
			return line;
	}
	return NULL;
}

bool list_line_is_used(const struct list_line *line, const struct tree *tree)
{
	if (!line->pattern)
		return tree_find(tree, line->path) != NULL;
	for (size_t i = 0; i < tree->count; i++)
		if (is_for(line, tree->objects[i].path))
			return true;
	return false;
}

void lists_free(struct lists *lists)
{
	for (struct list *list = lists->list; list < lists->list + GEN_LISTS; list++) {
		for (size_t i = 0; i < list->count; i++)
			free_line(&list->lines[i]);
		free(list->lines);
		free(list->file);
	}
	*lists = (struct lists){0};
}
