/* SPDX-License-Identifier: Apache-2.0 */
#include "package/public_key.h"

#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/sha1.h>
#include <string.h>

#define RSA_BITS_MIN      2048
#define RSA_BITS_MAX      8192
#define RSA_EXPONENT_BITS 64
#define POINT_PLAIN       0x04 /* uncompressed (SEC 1) */

/* Algorithms as a SubjectPublicKeyInfo names them, contents of the SEQUENCE. */
static const uint8_t rsa_encryption[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
static const uint8_t ec_p256[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                  0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t ec_p384[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                  0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

const struct nettle_hash *hash_of(enum hash_kind kind)
{
	switch (kind) {
	case HASH_SHA384:
		return &nettle_sha384;
	case HASH_SHA512:
		return &nettle_sha512;
	default:
		return &nettle_sha256;
	}
}

bool public_key_of_certificate(struct der certificate, struct der *info)
{
	struct der outer;
	struct der tbs;

	/* version, serial number, signature algorithm, issuer, validity, subject */
	return der_take(&certificate, DER_SEQUENCE, &outer, NULL) && certificate.left == 0 &&
	       der_take(&outer, DER_SEQUENCE, &tbs, NULL) && der_skip(&tbs, DER_CONSTRUCTED_0) &&
	       der_take(&tbs, DER_INTEGER, NULL, NULL) && der_take(&tbs, DER_SEQUENCE, NULL, NULL) &&
	       der_take(&tbs, DER_SEQUENCE, NULL, NULL) && der_take(&tbs, DER_SEQUENCE, NULL, NULL) &&
	       der_take(&tbs, DER_SEQUENCE, NULL, NULL) && der_take(&tbs, DER_SEQUENCE, NULL, info);
}

static bool split_info(struct der info, struct der *algorithm, struct der *bits)
{
	struct der inner;

	if (!der_take(&info, DER_SEQUENCE, &inner, NULL) || info.left > 0 ||
	    !der_take(&inner, DER_SEQUENCE, algorithm, NULL) || !der_take(&inner, DER_BIT_STRING, bits, NULL) ||
	    inner.left > 0 || bits->left == 0 || bits->at[0] != 0)
		return false;
	bits->at++; /* the number of unused bits */
	bits->left--;
	return true;
}

bool public_key_find_id(struct der info, uint8_t id[PUBLIC_KEY_ID_SIZE])
{
	struct sha1_ctx sha1;
	struct der algorithm;
	struct der bits;

	if (!split_info(info, &algorithm, &bits))
		return false;
	sha1_init(&sha1);
	sha1_update(&sha1, bits.left, bits.at);
	sha1_digest(&sha1, PUBLIC_KEY_ID_SIZE, id);
	return true;
}

static void import(mpz_t number, struct der digits)
{
	mpz_import(number, digits.left, 1, 1, 0, 0, digits.at);
}

static const char *read_rsa(struct der bits, struct rsa_public_key *key)
{
	struct der inner;
	struct der modulus;
	struct der exponent;

	if (!der_take(&bits, DER_SEQUENCE, &inner, NULL) || bits.left > 0 || !der_take_unsigned(&inner, &modulus) ||
	    !der_take_unsigned(&inner, &exponent) || inner.left > 0)
		return "broken RSA key";
	import(key->n, modulus);
	import(key->e, exponent);
	if (mpz_sizeinbase(key->n, 2) < RSA_BITS_MIN || mpz_sizeinbase(key->n, 2) > RSA_BITS_MAX)
		return "RSA key of less than 2048 or more than 8192 bits";
	if (mpz_even_p(key->n) || mpz_even_p(key->e) || mpz_cmp_ui(key->e, 3) < 0 ||
	    mpz_sizeinbase(key->e, 2) > RSA_EXPONENT_BITS || !rsa_public_key_prepare(key))
		return "unusable RSA key";
	return NULL;
}

static const char *read_point(struct der bits, size_t coordinate, struct ecc_point *point)
{
	mpz_t x;
	mpz_t y;
	int on_curve;

	if (bits.left != 1 + 2 * coordinate || bits.at[0] != POINT_PLAIN)
		return "EC key whose point is not in plain form";
	mpz_init(x);
	mpz_init(y);
	import(x, (struct der){.at = bits.at + 1, .left = coordinate});
	import(y, (struct der){.at = bits.at + 1 + coordinate, .left = coordinate});
	on_curve = ecc_point_set(point, x, y);
	mpz_clear(x);
	mpz_clear(y);
	return on_curve ? NULL : "EC key that is no point of its curve";
}

static const char *read_value(struct der algorithm, struct der bits, struct public_key *key)
{
	if (der_equal(&algorithm, rsa_encryption, sizeof(rsa_encryption))) {
		key->kind = KEY_RSA;
		rsa_public_key_init(&key->value.rsa);
		return read_rsa(bits, &key->value.rsa);
	}
	if (der_equal(&algorithm, ec_p256, sizeof(ec_p256))) {
		key->kind = KEY_EC;
		ecc_point_init(&key->value.point, nettle_get_secp_256r1());
		return read_point(bits, 32, &key->value.point);
	}
	if (der_equal(&algorithm, ec_p384, sizeof(ec_p384))) {
		key->kind = KEY_EC;
		ecc_point_init(&key->value.point, nettle_get_secp_384r1());
		return read_point(bits, 48, &key->value.point);
	}
	key->kind = KEY_ED25519;
	if (!der_equal(&algorithm, ed25519, sizeof(ed25519)))
		return "key that is neither RSA, EC P-256 or P-384, nor Ed25519";
	if (bits.left != ED25519_KEY_SIZE)
		return "broken Ed25519 key";
	memcpy(key->value.ed25519, bits.at, ED25519_KEY_SIZE);
	return NULL;
}

const char *public_key_read(struct der info, struct public_key *key)
{
	struct der algorithm;
	struct der bits;
	const char *reason;

	if (!split_info(info, &algorithm, &bits) || !public_key_find_id(info, key->id))
		return "broken key";
	reason = read_value(algorithm, bits, key);
	if (reason)
		public_key_clear(key);
	return reason;
}

void public_key_clear(struct public_key *key)
{
	if (key->kind == KEY_RSA)
		rsa_public_key_clear(&key->value.rsa);
	else if (key->kind == KEY_EC)
		ecc_point_clear(&key->value.point);
}

static bool verify_rsa(const struct rsa_public_key *key, const struct hash_value *hash, struct der signature)
{
	mpz_t number;
	int good = 0;

	if (signature.left != key->size)
		return false;
	mpz_init(number);
	import(number, signature);
	if (hash->kind == HASH_SHA256)
		good = rsa_sha256_verify_digest(key, hash->bytes, number);
	else if (hash->kind == HASH_SHA512)
		good = rsa_sha512_verify_digest(key, hash->bytes, number);
	mpz_clear(number);
	return good;
}

static bool verify_ecdsa(const struct ecc_point *point, const struct hash_value *hash, struct der signature)
{
	struct dsa_signature numbers;
	struct der inner;
	struct der r;
	struct der s;
	int good;

	if (!der_take(&signature, DER_SEQUENCE, &inner, NULL) || signature.left > 0 || !der_take_unsigned(&inner, &r) ||
	    !der_take_unsigned(&inner, &s) || inner.left > 0)
		return false;
	dsa_signature_init(&numbers);
	import(numbers.r, r);
	import(numbers.s, s);
	good = ecdsa_verify(point, hash_of(hash->kind)->digest_size, hash->bytes, &numbers);
	dsa_signature_clear(&numbers);
	return good;
}

bool public_key_verify(const struct public_key *key, const struct hash_value *hash, struct der message,
                       struct der signature)
{
	switch (key->kind) {
	case KEY_RSA:
		return verify_rsa(&key->value.rsa, hash, signature);
	case KEY_EC:
		return verify_ecdsa(&key->value.point, hash, signature);
	case KEY_ED25519:
		return signature.left == ED25519_SIGNATURE_SIZE &&
		       ed25519_sha512_verify(key->value.ed25519, message.left, message.at, signature.at);
	}
	return false;
}
