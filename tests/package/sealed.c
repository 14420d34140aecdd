/* SPDX-License-Identifier: Apache-2.0 */
#include "sealed.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void on_line(void *ctx, const char *text)
{
	struct sealed *sealed = ctx;
	size_t used = strlen(sealed->logged);

	(void)snprintf(sealed->logged + used, sizeof(sealed->logged) - used, "%s\n", text);
}

const char *sealed_path(char path[256], const char *directory, const char *name)
{
	(void)snprintf(path, 256, "%s/%s", directory, name);
	return path;
}

void sealed_open(struct sealed *sealed)
{
	memset(sealed, 0, sizeof(*sealed));
	sealed->log = (struct log){.line = on_line, .ctx = sealed};
	(void)snprintf(sealed->folder, sizeof(sealed->folder), "/tmp/signature-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(sealed->folder));
	(void)snprintf(sealed->keys_folder, sizeof(sealed->keys_folder), "%s/keys", sealed->folder);
	(void)snprintf(sealed->private_path, sizeof(sealed->private_path), "%s/private.key", sealed->folder);
	(void)snprintf(sealed->package_path, sizeof(sealed->package_path), "%s/update.zip", sealed->folder);
	ck_assert_int_eq(mkdir(sealed->keys_folder, 0755), 0);
	craft_sample(&sealed->craft);
}

void sealed_close(struct sealed *sealed)
{
	char command[128];

	package_keys_free(sealed->keys);
	craft_free(&sealed->craft);
	(void)snprintf(command, sizeof(command), "rm -r %s", sealed->folder);
	ck_assert_int_eq(system(command), 0);
}

void sealed_load(struct sealed *sealed)
{
	package_keys_free(sealed->keys);
	ck_assert_int_eq(package_keys_load(sealed->keys_folder, &sealed->log, &sealed->keys, &sealed->error), 0);
}

void sealed_put(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

static void resize(struct craft *craft, size_t size)
{
	craft->bytes = realloc(craft->bytes, size);
	ck_assert_ptr_nonnull(craft->bytes);
	craft->size = size;
}

void sealed_take(struct sealed *sealed, const char *path)
{
	FILE *file = fopen(path, "r");
	struct stat stat_buffer;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fstat(fileno(file), &stat_buffer), 0);
	resize(&sealed->craft, (size_t)stat_buffer.st_size);
	ck_assert_uint_eq(fread(sealed->craft.bytes, 1, sealed->craft.size, file), sealed->craft.size);
	ck_assert_int_eq(fclose(file), 0);
}

void sealed_sign(struct sealed *sealed)
{
	sealed_put(sealed->package_path, sealed->craft.bytes, sealed->craft.size);
	signing_sign_file(sealed->private_path, sealed->package_path);
	sealed_take(sealed, sealed->package_path);
}

void sealed_make(struct sealed *sealed, enum signing_kind kind)
{
	char path[256];

	signing_write_pair(kind, sealed->private_path, sealed_path(path, sealed->keys_folder, "a.pem"));
	sealed_load(sealed);
	sealed_sign(sealed);
}

int sealed_judge(struct sealed *sealed)
{
	int err;

	sealed->error = (struct error){0};
	err = package_verify_signature(craft_reader(&sealed->craft), sealed->keys, NULL, NULL, &sealed->error);
	if (err == 0)
		return 0;
	ck_assert_int_lt(err, 0);
	ck_assert_str_ne(sealed->error.message, "");
	return sealed->error.code;
}

bool sealed_is_refusal(int code)
{
	return code == RESULT_UNSIGNED || code == RESULT_UNTRUSTED || code == RESULT_TAMPERED;
}

void sealed_set_comment(struct sealed *sealed, const void *text, size_t text_size, const void *cms, size_t cms_size)
{
	struct craft *craft = &sealed->craft;
	size_t comment = text_size + cms_size + PACKAGE_SIGNATURE_FOOTER;
	uint8_t footer[PACKAGE_SIGNATURE_FOOTER] = {0, 0, 0xff, 0xff};
	uint64_t size;

	ck_assert_int_eq(package_signed_size(craft_reader(craft), &size, &sealed->error), 0);
	resize(craft, (size_t)size + 2 + comment);
	put_le16(craft->bytes + size, (uint16_t)comment);
	memcpy(craft->bytes + size + 2, text, text_size);
	memcpy(craft->bytes + size + 2 + text_size, cms, cms_size);
	put_le16(footer, (uint16_t)(cms_size + PACKAGE_SIGNATURE_FOOTER));
	put_le16(footer + 4, (uint16_t)comment);
	memcpy(craft->bytes + craft->size - sizeof(footer), footer, sizeof(footer));
}
