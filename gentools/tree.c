/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/tree.h"

#include "gentools/hardlinks.h"
#include "gentools/image.h"
#include "gentools/tree_folder.h"
#include "gentools/tree_xattr.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A slash comes before all other characters: "a/b" before "a-b". */
static unsigned rank(char c)
{
	return c == '\0' ? 0 : c == '/' ? 1 : 2u + (unsigned char)c;
}

int tree_compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (rank(*a) > rank(*b)) - (rank(*a) < rank(*b));
}

bool path_in(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int compare_objects(const void *a, const void *b)
{
	return tree_compare_paths(((const struct object *)a)->path, ((const struct object *)b)->path);
}

static int compare_path(const void *path, const void *object)
{
	return tree_compare_paths(path, ((const struct object *)object)->path);
}

int tree_compare_next(const struct tree *first, size_t i, const struct tree *second, size_t j)
{
	if (j == second->count)
		return -1;
	if (i == first->count)
		return 1;
	return tree_compare_paths(first->objects[i].path, second->objects[j].path);
}

void tree_sort(struct tree *tree)
{
	qsort(tree->objects, tree->count, sizeof(tree->objects[0]), compare_objects);
}

const struct object *tree_find(const struct tree *tree, const char *path)
{
	return bsearch(path, tree->objects, tree->count, sizeof(tree->objects[0]), compare_path);
}

struct object *tree_add(struct tree *tree, const char *path, size_t length)
{
	struct object *object;

	if (tree->count == tree->capacity) {
		size_t capacity = tree->capacity ? 2 * tree->capacity : 256;
		struct object *objects = reallocarray(tree->objects, capacity, sizeof(*objects));

		if (!objects)
			return NULL;
		tree->objects = objects;
		tree->capacity = capacity;
	}
	object = &tree->objects[tree->count];
	*object = (struct object){.path = strndup(path, length), .type = OBJECT_DIRECTORY};
	if (!object->path)
		return NULL;
	tree->count++;
	return object;
}

void tree_data_start(struct tree_data *data, struct tree *tree, struct object *object)
{
	*data = (struct tree_data){.tree = tree, .object = object};
	digest_start(&data->digest, tree->digests);
	spool_start(&tree->spool, &object->data);
}

int tree_data_add(struct tree_data *data, const void *bytes, size_t length)
{
	digest_add(&data->digest, bytes, length);
	return spool_append(&data->tree->spool, &data->object->data, bytes, length);
}

void tree_data_finish(struct tree_data *data)
{
	digest_finish(&data->digest, &data->object->digest);
}

/* "./a/b/" to "a/b", in place. NULL for what is no plain path below the root; the root itself is "". */
static char *clean_path(char *path)
{
	size_t length;

	while (strncmp(path, "./", 2) == 0)
		path += 2;
	length = strlen(path);
	if (length > 0 && path[length - 1] == '/')
		path[--length] = '\0';
	for (const char *part = path; length > 0 && part; part = strchr(part, '/')) {
		size_t n;

		part += *part == '/' && part > path;
		n = strcspn(part, "/");
		if (n == 0 || (n <= 2 && strncmp(part, "..", n) == 0))
			return NULL;
	}
	return path;
}

/* path: what was read, NULL when the archive as a whole. */
static int archive_failed(const struct tree *tree, struct archive *archive, const char *path, struct error *error)
{
	const char *text = archive_error_string(archive);
	int cause = archive_errno(archive);
	/* Of a system call libarchive's text tells only what was tried; EILSEQ is its own mark of a wrong format. */
	bool system = cause > 0 && cause != EILSEQ;

	return error_set(error, RESULT_FORMAT, EINVAL, "%s: not a readable zip archive: %s%s%s%s%s", tree->name,
	                 path ? path : "", path ? ": " : "", text ? text : "unknown cause", system ? ": " : "",
	                 system ? strerror(cause) : "");
}

static int read_data(struct tree *tree, struct archive *archive, struct object *object, struct error *error)
{
	static const size_t size = 65536;
	char *buffer = malloc(size);
	struct tree_data data;
	la_ssize_t n = 0;
	int err = buffer ? 0 : -ENOMEM;

	tree_data_start(&data, tree, object);
	while (err == 0 && (n = archive_read_data(archive, buffer, size)) > 0)
		err = tree_data_add(&data, buffer, (size_t)n);
	free(buffer);
	if (err < 0)
		return error_set(error, 0, -err, "%s: cannot unpack %s: %s", tree->name, object->path, strerror(-err));
	if (n < 0)
		return archive_failed(tree, archive, object->path, error);
	tree_data_finish(&data);
	return 0;
}

static int read_content(struct tree *tree, struct archive *archive, struct archive_entry *entry, struct object *object,
                        struct error *error)
{
	const char *link = archive_entry_symlink(entry);

	switch (archive_entry_filetype(entry)) {
	case AE_IFDIR:
		return 0;
	case AE_IFLNK:
		object->type = OBJECT_LINK;
		if (!link || !*link)
			return error_set(error, RESULT_FORMAT, EINVAL, "%s: %s is a symbolic link to nowhere",
			                 tree->name, object->path);
		object->link = strdup(link);
		return object->link ? 0 : error_set(error, 0, ENOMEM, "out of memory");
	case AE_IFREG:
		object->type = OBJECT_FILE;
		return read_data(tree, archive, object, error);
	default:
		return error_set(error, RESULT_FORMAT, EINVAL, "%s: %s is neither file, directory nor symbolic link",
		                 tree->name, object->path);
	}
}

static int read_object(struct tree *tree, struct archive *archive, struct archive_entry *entry, struct error *error)
{
	const char *name = archive_entry_pathname(entry);
	char *copy = strdup(name ? name : "/");
	char *path = copy ? clean_path(copy) : NULL;
	struct object *object = NULL;
	int err = 0;

	if (!copy)
		err = error_set(error, 0, ENOMEM, "out of memory");
	else if (!path)
		err = error_set(error, RESULT_FORMAT, EINVAL, "%s: \"%s\" is not a path inside of the tree", tree->name,
		                copy);
	else if (*path && !path_in(path, "SYSTEM/dev")) { /* device nodes are never touched */
		object = tree_add(tree, path, strlen(path));
		if (!object)
			err = error_set(error, 0, ENOMEM, "out of memory");
	}
	free(copy);
	if (!object)
		return err;
	object->mode = archive_entry_perm(entry) & 07777;
	object->uid = archive_entry_uid(entry);
	object->gid = archive_entry_gid(entry);
	return read_content(tree, archive, entry, object, error);
}

static int read_objects(struct tree *tree, struct archive *archive, struct error *error)
{
	struct archive_entry *entry;
	int result;

	while ((result = archive_read_next_header(archive, &entry)) == ARCHIVE_OK) {
		int err = read_object(tree, archive, entry, error);

		if (err < 0)
			return err;
	}
	return result == ARCHIVE_EOF ? 0 : archive_failed(tree, archive, NULL, error);
}

static int read_archive(struct tree *tree, struct error *error)
{
	struct archive *archive = archive_read_new();
	int err;

	if (!archive)
		return error_set(error, 0, ENOMEM, "out of memory");
	if (archive_read_support_format_zip_seekable(archive) != ARCHIVE_OK ||
	    archive_read_open_filename(archive, tree->name, 65536) != ARCHIVE_OK)
		err = archive_failed(tree, archive, NULL, error);
	else
		err = read_objects(tree, archive, error);
	(void)archive_read_free(archive); /* all that counts was read, or failed before */
	return err;
}

/* Directories that the archive does not list (zip -D). The objects are sorted before and after. */
static int add_parents(struct tree *tree, struct error *error)
{
	size_t listed = tree->count;

	for (size_t i = 0; i < listed; i++) {
		const char *path = tree->objects[i].path;
		const char *before = i > 0 ? tree->objects[i - 1].path : "";

		for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
			size_t length = (size_t)(slash - path);
			struct object *parent;

			/* What the object before lies in, or is, was seen to already. */
			if (strncmp(before, path, length) == 0 && (before[length] == '/' || before[length] == '\0'))
				continue;
			parent = tree_add(tree, path, length);
			if (!parent)
				return error_set(error, 0, ENOMEM, "out of memory");
			parent->implied = true;
		}
	}
	tree_sort(tree);
	return 0;
}

/* What must be a directory, if it is there at all. */
static int check_frame(const struct tree *tree, struct error *error)
{
	static const char *const names[] = {"SYSTEM", "SYSTEM/firmware", "BOOTABLE_IMAGES", "MULTIFOTA"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct object *object = tree_find(tree, names[i]);

		if (object && object->type != OBJECT_DIRECTORY)
			return error_set(error, RESULT_FORMAT, EINVAL, "%s: %s is not a directory", tree->name,
			                 names[i]);
	}
	return 0;
}

static int check_objects(const struct tree *tree, struct error *error)
{
	for (size_t i = 1; i < tree->count; i++) {
		const struct object *before = &tree->objects[i - 1];
		const struct object *object = &tree->objects[i];

		if (strcmp(before->path, object->path) == 0)
			return error_set(error, RESULT_FORMAT, EINVAL, "%s: %s is there twice", tree->name,
			                 object->path);
		if (before->type != OBJECT_DIRECTORY && path_in(object->path, before->path))
			return error_set(error, RESULT_FORMAT, EINVAL, "%s: %s lies below a file or link", tree->name,
			                 object->path);
	}
	if (!tree_find(tree, "SYSTEM") || !tree_find(tree, "BOOTABLE_IMAGES"))
		return tree_is_none(tree, error);
	return check_frame(tree, error);
}

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int tree_read(struct tree *tree, const char *path, enum digest_kind digests, struct error *error)
{
	/* libarchive converts names between the archive's and the locale's charset; here names are bytes. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t caller = uselocale(utf8);
	int err;

	*tree = (struct tree){.name = path, .place = tree_locate(path), .spool = {.fd = -1}, .digests = digests};
	if (tree->place)
		tree->name = tree->place;
	err = tree->place ? spool_open(&tree->spool) : -ENOMEM;
	if (err < 0)
		err = error_set(error, 0, -err, "%s: cannot make a temporary file: %s", spool_folder(), strerror(-err));
	else
		err = is_folder(tree->name) ? tree_read_folder(tree, error) : read_archive(tree, error);
	(void)uselocale(caller);
	if (utf8)
		freelocale(utf8);
	if (err == 0)
		err = image_unpack_all(tree, error);
	if (err < 0)
		return err;
	if (tree->count == 0)
		return tree_is_none(tree, error);
	tree_sort(tree);
	err = add_parents(tree, error);
	if (err == 0 && hardlinks_number(tree, true) < 0)
		err = error_set(error, 0, ENOMEM, "out of memory");
	return err < 0 ? err : check_objects(tree, error);
}

bool object_set_node(struct object *object, unsigned mode, uint32_t major, uint32_t minor)
{
	char kind = S_ISCHR(mode) ? 'c' : S_ISBLK(mode) ? 'b' : S_ISFIFO(mode) ? 'p' : '\0';

	if (!kind)
		return false;
	object->type = OBJECT_NODE;
	object->node = (struct object_node){.kind = kind};
	if (kind != 'p') {
		object->node.major = major;
		object->node.minor = minor;
	}
	return true;
}

bool object_same_node(const struct object *a, const struct object *b)
{
	return a->node.kind == b->node.kind && a->node.major == b->node.major && a->node.minor == b->node.minor;
}

int object_copy(struct object *copy, const struct object *object)
{
	int err;

	*copy = *object;
	copy->path = strdup(object->path);
	copy->link = object->link ? strdup(object->link) : NULL;
	copy->partition = object->partition ? strdup(object->partition) : NULL;
	err = object_copy_xattrs(copy, object);
	return copy->path && !copy->link == !object->link && !copy->partition == !object->partition ? err : -ENOMEM;
}

void object_clear(struct object *object)
{
	free(object->path);
	free(object->link);
	free(object->partition);
	object_clear_xattrs(object);
	*object = (struct object){0};
}

void tree_free(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		object_clear(&tree->objects[i]);
	free(tree->objects);
	free(tree->notes);
	free(tree->place);
	spool_close(&tree->spool);
	*tree = (struct tree){.spool = {.fd = -1}};
}
