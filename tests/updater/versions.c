/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/patch.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *digest_text(enum digest_kind kind, const void *data, size_t size)
{
	static char texts[8][DIGEST_TEXT_SIZE];
	static unsigned next;
	struct digest digest;
	struct digest_value value;

	digest_start(&digest, kind);
	digest_add(&digest, data, size);
	digest_finish(&digest, &value);
	next = (next + 1) % 8;
	return digest_format(&value, texts[next]);
}

const char *sha1_of(const void *data, size_t size)
{
	return digest_text(DIGEST_SHA1, data, size);
}

const char *sha256_of(const void *data, size_t size)
{
	return digest_text(DIGEST_SHA256, data, size);
}

static int append(void *ctx, const void *data, size_t length)
{
	struct versions *versions = ctx;
	uint8_t *grown = realloc(versions->patch, versions->patch_size + length + 1);

	if (!grown)
		return -ENOMEM;
	memcpy(grown + versions->patch_size, data, length);
	versions->patch = grown;
	versions->patch_size += length;
	return 0;
}

static uint8_t *noise(size_t size, unsigned seed)
{
	uint8_t *data = malloc(size + 1);

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = (uint8_t)(seed >> 24);
	}
	return data;
}

void versions_between(struct versions *versions, const void *old_data, size_t old_size, const void *new_data,
                      size_t new_size)
{
	struct sink sink = {.write = append, .ctx = versions};

	memset(versions, 0, sizeof(*versions));
	versions->old_size = old_size;
	versions->new_size = new_size;
	versions->old_data = malloc(old_size + 1);
	versions->new_data = malloc(new_size + 1);
	ck_assert(versions->old_data && versions->new_data);
	memcpy(versions->old_data, old_data, old_size);
	memcpy(versions->new_data, new_data, new_size);
	(void)snprintf(versions->old_sha1, DIGEST_TEXT_SIZE, "%s", sha1_of(old_data, old_size));
	(void)snprintf(versions->new_sha1, DIGEST_TEXT_SIZE, "%s", sha1_of(new_data, new_size));
	ck_assert_int_eq(patch_make_bsdiff40(old_data, old_size, new_data, new_size, 0, &sink, NULL), 0);
}

void versions_make_in_place(struct versions *versions, uint32_t unit)
{
	const struct patch_native_options options = {.unit = unit};
	struct sink sink = {.write = append, .ctx = versions};
	struct error error;

	versions->patch_size = 0;
	ck_assert_msg(patch_make_native(versions->old_data, versions->old_size, versions->new_data, versions->new_size,
	                                &options, &sink, &error) == 0,
	              "%s", error.message);
}

void versions_make(struct versions *versions, size_t old_size, size_t new_size, unsigned seed)
{
	size_t common = old_size < new_size ? old_size : new_size;
	uint8_t *old_data = noise(old_size, seed);
	uint8_t *new_data = noise(new_size, seed + 1);

	memcpy(new_data, old_data, common);
	for (size_t i = 0; i < common; i += 97)
		new_data[i] ^= 1;
	versions_between(versions, old_data, old_size, new_data, new_size);
	free(old_data);
	free(new_data);
}

void versions_free(struct versions *versions)
{
	free(versions->old_data);
	free(versions->new_data);
	free(versions->patch);
}

void versions_name_partition(const struct versions *versions, char name[512])
{
	(void)snprintf(name, 512, "MTD:part:%zu:%s:%zu:%s", versions->old_size, versions->old_sha1, versions->new_size,
	               versions->new_sha1);
}

size_t versions_add_check(const struct versions *versions, const char *object, char *script, size_t size, size_t used)
{
	return used + (size_t)snprintf(script + used, size - used, "assert(apply_patch_check(\"%s\",%s,%s));\n", object,
	                               versions->new_sha1, versions->old_sha1);
}

size_t versions_add_patch(const struct versions *versions, const char *object, const char *patch, char *script,
                          size_t size, size_t used)
{
	return used + (size_t)snprintf(script + used, size - used,
	                               "apply_patch(\"%s\",\"-\",%s,%zu,%s,package_extract_file(\"%s\"));\n", object,
	                               versions->new_sha1, versions->new_size, versions->old_sha1, patch);
}

const char *versions_script(const struct versions *versions, const char *object, char script[1024])
{
	(void)snprintf(script, 1024,
	               "apply_patch(\"%s\", \"-\", %s, %zu, %s, package_extract_file(\"p\"));\nui_print(\"done\");\n",
	               object, versions->new_sha1, versions->new_size, versions->old_sha1);
	return script;
}
