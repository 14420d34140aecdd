/* SPDX-License-Identifier: Apache-2.0 */
#include "package/cms.h"

#include <errno.h>
#include <string.h>

enum { VERSION_ISSUER = 1, VERSION_KEY_ID = 3 };

static const uint8_t oid_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
static const uint8_t oid_signed_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
static const uint8_t oid_content_type[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03};
static const uint8_t oid_message_digest[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04};

/* An AlgorithmIdentifier's OID, and the parameters that may stand behind it. */
enum parameters { ABSENT, NULL_ONLY, NULL_OR_ABSENT };

struct algorithm {
	uint8_t oid[9];
	uint8_t oid_size;
	enum parameters parameters;
	int kind;      /* enum key_kind of a signature, enum hash_kind of a hash */
	int with_hash; /* enum hash_kind; -1: any */
};

static const struct algorithm hashes[] = {
	{{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}, 9, NULL_OR_ABSENT, HASH_SHA256, -1},
	{{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}, 9, NULL_OR_ABSENT, HASH_SHA384, -1},
	{{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}, 9, NULL_OR_ABSENT, HASH_SHA512, -1},
};

static const struct algorithm signatures[] = {
	{{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}, 9, NULL_ONLY, KEY_RSA, -1},
	{{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b}, 9, NULL_ONLY, KEY_RSA, HASH_SHA256},
	{{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d}, 9, NULL_ONLY, KEY_RSA, HASH_SHA512},
	{{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}, 8, ABSENT, KEY_EC, HASH_SHA256},
	{{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03}, 8, ABSENT, KEY_EC, HASH_SHA384},
	{{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04}, 8, ABSENT, KEY_EC, HASH_SHA512},
	{{0x2b, 0x65, 0x70}, 3, ABSENT, KEY_ED25519, HASH_SHA512},
};

static int is_broken(struct error *error, const char *what)
{
	return error_set(error, RESULT_TAMPERED, EBADMSG, "broken signature: %s", what);
}

static bool take_oid(struct der *in, const uint8_t *oid, size_t size)
{
	struct der found;

	return der_take(in, DER_OID, &found, NULL) && der_equal(&found, oid, size);
}

/* The one of `count` algorithms that this AlgorithmIdentifier's content is, NULL when it is another. */
static const struct algorithm *find_algorithm(struct der in, const struct algorithm *known, size_t count)
{
	static const uint8_t null[] = {0x05, 0x00};
	struct der oid;

	if (!der_take(&in, DER_OID, &oid, NULL))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		bool may_be_absent = known[i].parameters != NULL_ONLY;
		bool may_be_null = known[i].parameters != ABSENT;

		if (der_equal(&oid, known[i].oid, known[i].oid_size))
			return (in.left == 0 && may_be_absent) || (may_be_null && der_equal(&in, null, sizeof(null)))
			               ? &known[i]
			               : NULL;
	}
	return NULL;
}

/* The signed attributes: what they are about must be data with a digest; others may stand beside these two. */
static bool read_attributes(struct der in, struct cms *cms)
{
	bool has_type = false;

	while (in.left > 0) {
		struct der attribute;
		struct der oid;
		struct der values;

		if (!der_take(&in, DER_SEQUENCE, &attribute, NULL) || !der_take(&attribute, DER_OID, &oid, NULL) ||
		    !der_take(&attribute, DER_SET, &values, NULL) || attribute.left > 0)
			return false;
		if (der_equal(&oid, oid_content_type, sizeof(oid_content_type))) {
			if (has_type || !take_oid(&values, oid_data, sizeof(oid_data)) || values.left > 0)
				return false;
			has_type = true;
		} else if (der_equal(&oid, oid_message_digest, sizeof(oid_message_digest))) {
			if (cms->message_digest.at ||
			    !der_take(&values, DER_OCTET_STRING, &cms->message_digest, NULL) || values.left > 0)
				return false;
		}
	}
	return has_type && cms->message_digest.at;
}

/* By key, or by issuer and serial number, which say nothing to who knows keys only. */
static bool read_signer_name(struct der *in, uint8_t version, struct cms *cms)
{
	struct der id;

	if (version == VERSION_ISSUER)
		return der_take(in, DER_SEQUENCE, NULL, NULL);
	if (!der_take(in, DER_PRIMITIVE_0, &id, NULL) || id.left != PUBLIC_KEY_ID_SIZE)
		return false;
	memcpy(cms->key_id, id.at, id.left);
	cms->names_key = true;
	return true;
}

static int read_algorithms(struct der hash, struct der signature, struct cms *cms, struct error *error)
{
	const struct algorithm *found = find_algorithm(hash, hashes, sizeof(hashes) / sizeof(hashes[0]));

	if (!found)
		return error_set(error, RESULT_UNTRUSTED, EKEYREJECTED,
		                 "signed with a hash that is not accepted: neither SHA-256, SHA-384 nor SHA-512");
	cms->hash = (enum hash_kind)found->kind;
	found = find_algorithm(signature, signatures, sizeof(signatures) / sizeof(signatures[0]));
	if (!found || (found->with_hash >= 0 && found->with_hash != (int)cms->hash) ||
	    (found->kind == KEY_RSA && cms->hash == HASH_SHA384))
		return error_set(error, RESULT_UNTRUSTED, EKEYREJECTED,
		                 "signed with algorithms that are not accepted, or not together");
	cms->kind = (enum key_kind)found->kind;
	if (cms->kind == KEY_ED25519 && !cms->has_attributes)
		return is_broken(error, "Ed25519 without signed attributes");
	return 0;
}

static int read_signer(struct der in, struct der declared_hash, uint8_t version, struct cms *cms, struct error *error)
{
	struct der number;
	struct der hash;
	struct der signature;
	struct der attributes;

	if (!der_take_unsigned(&in, &number) || !der_equal(&number, &version, 1) ||
	    !read_signer_name(&in, version, cms) || !der_take(&in, DER_SEQUENCE, &hash, NULL) ||
	    !der_equal(&hash, declared_hash.at, declared_hash.left))
		return is_broken(error, "signer");
	cms->has_attributes = der_take(&in, DER_CONSTRUCTED_0, &attributes, &cms->attributes);
	if (cms->has_attributes && !read_attributes(attributes, cms))
		return is_broken(error, "signed attributes");
	if (!der_take(&in, DER_SEQUENCE, &signature, NULL) || !der_take(&in, DER_OCTET_STRING, &cms->signature, NULL) ||
	    in.left > 0)
		return is_broken(error, "signer's end");
	return read_algorithms(hash, signature, cms, error);
}

/* One certificate is the signer's. Among several it would have to be searched for: that is left to trying all keys. */
static bool read_certificates(struct der in, struct cms *cms)
{
	struct der first;
	struct der info;

	if (!der_take(&in, DER_SEQUENCE, NULL, &first) || in.left > 0 || cms->names_key)
		return true;
	cms->names_key = public_key_of_certificate(first, &info) && public_key_find_id(info, cms->key_id);
	return cms->names_key;
}

/* The SignedData, from inside its wrapping. */
static bool unwrap(struct der in, struct der *data)
{
	struct der outer;
	struct der explicit;

	return der_take(&in, DER_SEQUENCE, &outer, NULL) && in.left == 0 &&
	       take_oid(&outer, oid_signed_data, sizeof(oid_signed_data)) &&
	       der_take(&outer, DER_CONSTRUCTED_0, &explicit, NULL) && outer.left == 0 &&
	       der_take(&explicit, DER_SEQUENCE, data, NULL) && explicit.left == 0;
}

int cms_parse(struct der in, struct cms *cms, struct error *error)
{
	struct der data;
	struct der version;
	struct der hashes_set;
	struct der hash;
	struct der content;
	struct der certificates = {0};
	struct der signers;
	struct der signer;
	int err;

	*cms = (struct cms){0};
	if (!unwrap(in, &data) || !der_take_unsigned(&data, &version) || version.left != 1 ||
	    (version.at[0] != VERSION_ISSUER && version.at[0] != VERSION_KEY_ID))
		return is_broken(error, "no CMS SignedData");
	if (!der_take(&data, DER_SET, &hashes_set, NULL) || !der_take(&hashes_set, DER_SEQUENCE, &hash, NULL) ||
	    hashes_set.left > 0 || !der_take(&data, DER_SEQUENCE, &content, NULL) ||
	    !take_oid(&content, oid_data, sizeof(oid_data)) || content.left > 0)
		return is_broken(error, "not of one hash, or not without content");
	(void)der_take(&data, DER_CONSTRUCTED_0, &certificates, NULL); /* there need not be any */
	if (!der_skip(&data, DER_CONSTRUCTED_1) || !der_take(&data, DER_SET, &signers, NULL) || data.left > 0 ||
	    !der_take(&signers, DER_SEQUENCE, &signer, NULL) || signers.left > 0)
		return is_broken(error, "not of one signer");
	err = read_signer(signer, hash, version.at[0], cms, error);
	if (err < 0)
		return err;
	return read_certificates(certificates, cms) ? 0 : is_broken(error, "certificate");
}
