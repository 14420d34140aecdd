/* SPDX-License-Identifier: Apache-2.0 */
#include "package/signature.h"

#include "base/bytes.h"
#include "package/cms.h"
#include "package/keys.h"
#include "package/zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define END_SIZE       22 /* of the end record, without the comment */
#define COMMENT_LENGTH 2  /* bytes of its last field, which is not signed */
#define CHUNK          16384

/* What the package says about its signature. The cms points into `comment`. */
struct claim {
	uint64_t signed_size; /* bytes from the start of the file */
	uint8_t *comment;     /* with the end record in front */
	struct cms cms;
};

union hash_context {
	struct sha256_ctx sha256;
	struct sha512_ctx sha512; /* SHA-384 too */
};

/* ---- Reading ---- */

static int read_at(const struct reader *zip, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	int err = zip->read_at(zip->ctx, offset, buffer, length);

	return err < 0 ? error_set(error, RESULT_UNPACK, -err, "cannot read package at offset %llu: %s",
	                           (unsigned long long)offset, strerror(-err))
	               : 0;
}

/* The end record and the comment behind it must be where the footer says, and nowhere else. */
static bool is_sound_end(const uint8_t *end, size_t comment_size)
{
	static const uint8_t magic[] = {'P', 'K', 5, 6};

	return memcmp(end, magic, sizeof(magic)) == 0 && get_le16(end + END_SIZE - COMMENT_LENGTH) == comment_size &&
	       !memmem(end + 1, END_SIZE - 1 + comment_size, magic, sizeof(magic));
}

static int read_claim(const struct reader *zip, struct claim *claim, struct error *error)
{
	uint8_t footer[PACKAGE_SIGNATURE_FOOTER];
	size_t comment_size;
	size_t start;
	struct der der;
	int err;

	if (zip->size < END_SIZE + sizeof(footer))
		return error_set(error, RESULT_UNSIGNED, ENOMSG, "no signature: the file is too short for one");
	err = read_at(zip, zip->size - sizeof(footer), footer, sizeof(footer), error);
	if (err < 0)
		return err;
	if (footer[2] != 0xff || footer[3] != 0xff)
		return error_set(error, RESULT_UNSIGNED, ENOMSG, "no signature at its end: not signed, or cut short");
	start = get_le16(footer);
	comment_size = get_le16(footer + 4);
	if (start <= sizeof(footer) || start > comment_size || comment_size > zip->size - END_SIZE)
		return error_set(error, RESULT_TAMPERED, EBADMSG, "broken signature: its footer contradicts itself");
	claim->comment = malloc(END_SIZE + comment_size);
	if (!claim->comment)
		return error_set(error, 0, ENOMEM, "out of memory");
	claim->signed_size = zip->size - comment_size - COMMENT_LENGTH;
	err = read_at(zip, zip->size - comment_size - END_SIZE, claim->comment, END_SIZE + comment_size, error);
	if (err < 0)
		return err;
	if (!is_sound_end(claim->comment, comment_size))
		return error_set(error, RESULT_TAMPERED, EBADMSG, "broken signature: it is not the archive's comment");
	der.at = claim->comment + END_SIZE + comment_size - start;
	der.left = start - sizeof(footer);
	return cms_parse(der, &claim->cms, error);
}

static int hash_content(const struct reader *zip, uint64_t size, const struct nettle_hash *hash, uint8_t *digest,
                        void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx, struct error *error)
{
	uint8_t *buffer = malloc(CHUNK);
	union hash_context context;
	uint64_t at = 0;
	int err = 0;

	if (!buffer)
		return error_set(error, 0, ENOMEM, "out of memory");
	hash->init(&context);
	while (err == 0 && at < size) {
		size_t length = size - at < CHUNK ? (size_t)(size - at) : CHUNK;

		err = read_at(zip, at, buffer, length, error);
		if (err == 0)
			hash->update(&context, length, buffer);
		at += length;
		if (err == 0 && progress)
			progress(ctx, at, size);
	}
	hash->digest(&context, hash->digest_size, digest);
	free(buffer);
	return err;
}

/* ---- Judging ---- */

static bool may_be_signer(const struct public_key *key, const struct cms *cms)
{
	return key->kind == cms->kind && (!cms->names_key || memcmp(key->id, cms->key_id, sizeof(key->id)) == 0);
}

static bool has_signer(const struct package_keys *keys, const struct cms *cms)
{
	for (unsigned i = 0; i < keys->count; i++)
		if (may_be_signer(&keys->keys[i], cms))
			return true;
	return false;
}

/* What is signed besides the content, its hash among it: as the SET it is, in whose place the structure has [0]. */
static bool use_attributes(const struct claim *claim, struct hash_value *content)
{
	const struct nettle_hash *hash = hash_of(claim->cms.hash);
	const struct der *attributes = &claim->cms.attributes;
	union hash_context context;

	if (!der_equal(&claim->cms.message_digest, content->bytes, hash->digest_size))
		return false;
	claim->comment[attributes->at - claim->comment] = DER_SET;
	hash->init(&context);
	hash->update(&context, attributes->left, attributes->at);
	hash->digest(&context, hash->digest_size, content->bytes);
	return true;
}

static bool is_signed_by_one(const struct package_keys *keys, const struct claim *claim, struct hash_value *hash)
{
	const struct cms *cms = &claim->cms;

	if (cms->has_attributes && !use_attributes(claim, hash))
		return false;
	for (unsigned i = 0; i < keys->count; i++)
		if (may_be_signer(&keys->keys[i], cms) &&
		    public_key_verify(&keys->keys[i], hash, cms->attributes, cms->signature))
			return true;
	return false;
}

static int judge(const struct reader *zip, const struct package_keys *keys, const struct claim *claim,
                 void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx, struct error *error)
{
	struct hash_value content = {.kind = claim->cms.hash};
	int err;

	if (!has_signer(keys, &claim->cms))
		return error_set(error, RESULT_UNTRUSTED, EKEYREJECTED, "signed by none of the %u keys in %s",
		                 keys->count, keys->directory);
	err = hash_content(zip, claim->signed_size, hash_of(content.kind), content.bytes, progress, ctx, error);
	if (err < 0 || is_signed_by_one(keys, claim, &content))
		return err;
	if (claim->cms.names_key)
		return error_set(error, RESULT_TAMPERED, EBADMSG, "the signature does not match the content");
	return error_set(error, RESULT_UNTRUSTED, EKEYREJECTED, "signed by none of the %u keys in %s, or changed since",
	                 keys->count, keys->directory);
}

int package_verify_signature(const struct reader *zip, const struct package_keys *keys,
                             void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx, struct error *error)
{
	struct claim claim = {0};
	int err = read_claim(zip, &claim, error);

	if (err == 0)
		err = judge(zip, keys, &claim, progress, ctx, error);
	free(claim.comment);
	return err;
}

bool package_claims_signature(const struct reader *zip)
{
	struct claim claim = {0};
	struct error error = {0};
	int err = read_claim(zip, &claim, &error);

	free(claim.comment);
	return err == 0 || error.code != RESULT_UNSIGNED;
}

int package_signed_size(const struct reader *zip, uint64_t *size, struct error *error)
{
	struct zip_directory directory;
	int err = zip_find_directory(zip, &directory, error);

	if (err == 0)
		*size = (uint64_t)directory.end + END_SIZE - COMMENT_LENGTH;
	return err;
}
