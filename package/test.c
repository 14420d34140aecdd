/* SPDX-License-Identifier: Apache-2.0 */
#include "package/index.h"

#include "base/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 16384
#define LINE_MAX   (PACKAGE_NAME_MAX + DIGEST_TEXT_SIZE)

/* All of an entry, piece by piece. */
static int read_entry(struct package *package, uint32_t index,
                      void (*piece)(void *ctx, const void *data, size_t length, uint64_t read), void *ctx)
{
	struct content content = package_content(package, index);
	struct stream stream;
	uint64_t total = 0;
	uint8_t *buffer = malloc(CHUNK_SIZE);
	ssize_t n;
	int err;

	if (!buffer)
		return -ENOMEM;
	err = content.open(content.ctx, 0, &stream);
	if (err < 0)
		goto out;
	while ((n = stream.read(stream.ctx, buffer, CHUNK_SIZE)) > 0) {
		total += (size_t)n;
		piece(ctx, buffer, (size_t)n, total);
	}
	err = (int)n;
	stream_close(&stream);
out:
	free(buffer);
	return err;
}

static int unpack_failed(struct error *error, int err, const char *name)
{
	if (err == -EBADMSG)
		return error_set(error, RESULT_UNPACK, EBADMSG, "entry \"%s\": wrong data, size or CRC", name);
	if (err == -ENOMEM) /* not the package's fault */
		return error_set(error, 0, ENOMEM, "entry \"%s\": out of memory", name);
	return error_set(error, RESULT_UNPACK, -err, "entry \"%s\": %s", name, strerror(-err));
}

struct test_progress {
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
	struct package_entry entry; /* the one being read */
	uint64_t before;            /* packed bytes of the entries before */
	uint64_t total;
	uint64_t listed; /* unpacked bytes of what md5.txt named so far */
};

static void count_piece(void *ctx, const void *data, size_t length, uint64_t read)
{
	const struct test_progress *t = ctx;

	(void)data;
	(void)length;
	/* Both sizes are below 2^32. */
	if (t->progress)
		t->progress(t->ctx, t->before + t->entry.packed_size * read / t->entry.size, t->total);
}

static int test_entries(struct package *package, struct test_progress *t, struct error *error)
{
	for (uint32_t i = 0; i < package_count(package); i++) {
		int err = package_entry(package, i, &t->entry, error);

		if (err < 0)
			return err;
		err = read_entry(package, i, count_piece, t);
		if (err < 0)
			return unpack_failed(error, err, t->entry.name);
		t->before += t->entry.packed_size;
	}
	return 0;
}

struct list_digest {
	struct digest digest;
	const struct test_progress *t;
};

static void digest_piece(void *ctx, const void *data, size_t length, uint64_t read)
{
	struct list_digest *list = ctx;

	(void)read;
	digest_add(&list->digest, data, length);
	/* There is nothing new to tell, but a caller who tells others that it is alive needs the call. */
	if (list->t->progress)
		list->t->progress(list->t->ctx, list->t->total, list->t->total);
}

/* The digest of one entry. A list that names entries again and again would keep its reader busy for days. */
static int digest_entry(struct package *package, uint32_t index, struct test_progress *t, struct digest_value *found)
{
	struct list_digest list = {.t = t};
	int err;

	t->listed += package_content(package, index).size;
	if (t->listed > package->unpacked)
		return -E2BIG;
	digest_start(&list.digest, DIGEST_MD5);
	err = read_entry(package, index, digest_piece, &list);
	if (!err)
		digest_finish(&list.digest, found);
	return err;
}

static int compare_digest(struct package *package, const char *name, const struct digest_value *expected,
                          struct test_progress *t, struct error *error)
{
	char texts[2][DIGEST_TEXT_SIZE];
	struct digest_value found;
	uint32_t index;
	int err;

	err = package_find(package, name, &index);
	if (err == -ENOENT)
		return error_set(error, RESULT_DIGEST, ENOENT, "%s: no entry \"%s\"", PACKAGE_MD5_LIST, name);
	if (err == 0)
		err = digest_entry(package, index, t, &found);
	if (err == -E2BIG)
		return error_set(error, RESULT_DIGEST, E2BIG, "%s names entries more than once", PACKAGE_MD5_LIST);
	if (err < 0)
		return unpack_failed(error, err, name);
	if (!digest_equal(&found, expected))
		return error_set(error, RESULT_DIGEST, EBADMSG, "entry \"%s\": MD5 %s, %s expected", name,
		                 digest_format(&found, texts[0]), digest_format(expected, texts[1]));
	return 0;
}

/* "hash  name", "hash *name" or "hash name"; "./" before the name and CR behind it do not count. */
static int check_line(struct package *package, char *line, struct test_progress *t, struct error *error)
{
	struct digest_value expected;
	char *name = strchr(line, ' ');

	line[strcspn(line, "\r")] = '\0';
	if (line[0] == '\0')
		return 0;
	if (name)
		*name++ = '\0';
	if (!name || digest_parse(&expected, line) < 0 || expected.kind != DIGEST_MD5)
		return error_set(error, RESULT_DIGEST, EINVAL, "%s: a line without MD5 and name", PACKAGE_MD5_LIST);
	if (*name == ' ' || *name == '*')
		name++;
	if (strncmp(name, "./", 2) == 0)
		name += 2;
	return compare_digest(package, name, &expected, t, error);
}

/* The next line of the list, without its end. 1, 0 at the end of the list, or a negative errno value. */
static int next_line(struct stream *list, char line[LINE_MAX])
{
	size_t length = 0;
	ssize_t n;

	while ((n = list->read(list->ctx, line + length, 1)) == 1) {
		if (line[length] == '\n')
			break;
		if (line[length] == '\0' || ++length == LINE_MAX)
			return -EINVAL;
	}
	if (n < 0)
		return (int)n;
	line[length] = '\0';
	return n == 1 || length > 0;
}

static int test_list(struct package *package, struct test_progress *t, struct error *error)
{
	char line[LINE_MAX];
	struct content content;
	struct stream list;
	uint32_t index;
	int err;

	err = package_find(package, PACKAGE_MD5_LIST, &index);
	if (err == -ENOENT)
		return 0;
	if (err < 0)
		return unpack_failed(error, err, PACKAGE_MD5_LIST);
	content = package_content(package, index);
	err = content.open(content.ctx, 0, &list);
	if (err < 0)
		return unpack_failed(error, err, PACKAGE_MD5_LIST);
	while ((err = next_line(&list, line)) > 0) {
		err = check_line(package, line, t, error);
		if (err < 0)
			goto out;
	}
	if (err == -EINVAL)
		err = error_set(error, RESULT_DIGEST, EINVAL, "%s is not a list of MD5 sums", PACKAGE_MD5_LIST);
	else if (err < 0)
		err = unpack_failed(error, err, PACKAGE_MD5_LIST);
out:
	stream_close(&list);
	return err;
}

int package_test(struct package *package, void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
                 struct error *error)
{
	struct test_progress t = {.progress = progress, .ctx = ctx, .total = package->packed};
	int err = test_entries(package, &t, error);

	return err < 0 ? err : test_list(package, &t, error);
}

int package_load(struct package *package, const char *name, size_t max, char **data, size_t *size, struct error *error)
{
	struct content content;
	struct stream stream;
	uint32_t index;
	char *buffer;
	ssize_t end;
	int err;

	err = package_find(package, name, &index);
	if (err == -ENOENT)
		return error_set(error, RESULT_FORMAT, ENOENT, "package has no entry \"%s\"", name);
	if (err < 0)
		return unpack_failed(error, err, name);
	content = package_content(package, index);
	if (content.size > max || content.size >= SIZE_MAX)
		return error_set(error, RESULT_UNPACK, EFBIG, "entry \"%s\": %llu bytes, at most %zu are allowed", name,
		                 (unsigned long long)content.size, max);
	buffer = malloc((size_t)content.size + 1);
	if (!buffer)
		return error_set(error, 0, ENOMEM, "out of memory");
	err = content.open(content.ctx, 0, &stream);
	if (err == 0) {
		err = stream_read_all(&stream, buffer, (size_t)content.size);
		end = err < 0 ? err : stream.read(stream.ctx, buffer + content.size, 1);
		err = (int)end;
		stream_close(&stream);
	}
	if (err < 0) {
		free(buffer);
		return unpack_failed(error, err, name);
	}
	buffer[content.size] = '\0';
	*data = buffer;
	*size = (size_t)content.size;
	return 0;
}
