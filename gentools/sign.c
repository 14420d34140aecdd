/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/sign.h"

#include "base/bytes.h"
#include "base/io.h"
#include "gentools/place.h"
#include "gentools/sign_cms.h"
#include "package/crypt.h"
#include "package/crypt_format.h"
#include "package/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536

static const struct scheme schemes[] = {
	{EVP_PKEY_RSA,
         2048,
         8192,
         "SHA256",
         false,
         {0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01},
         {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00},
         15},
	{EVP_PKEY_EC,
         256,
         256,
         "SHA256",
         false,
         {0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01},
         {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02},
         12},
	{EVP_PKEY_EC,
         384,
         384,
         "SHA384",
         false,
         {0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02},
         {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03},
         12},
	{EVP_PKEY_ED25519,
         0,
         8192,
         "SHA512",
         true,
         {0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03},
         {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70},
         7},
};

/* ---- The key ---- */

static int ask_passphrase(char *buffer, int size, int writing, void *ctx)
{
	const char *passphrase = getenv(SIGNER_PASSPHRASE);
	size_t length = passphrase ? strlen(passphrase) : 0;

	(void)writing;
	(void)ctx;
	if (length == 0 || length >= (size_t)size)
		return -1;
	(void)snprintf(buffer, (size_t)size, "%s", passphrase);
	return (int)length;
}

static const struct scheme *find_scheme(const EVP_PKEY *key)
{
	char curve[32] = "";
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
		if (!EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) ||
		    (strcmp(curve, "prime256v1") != 0 && strcmp(curve, "secp384r1") != 0))
			return NULL;
	}
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (EVP_PKEY_get_base_id(key) == schemes[i].key && bits >= schemes[i].bits_min &&
		    bits <= schemes[i].bits_max)
			return &schemes[i];
	return NULL;
}

/* RFC 5280 4.2.1.2, method 1, which asks for SHA-1; a name, not a proof. */
static bool find_id(EVP_PKEY *key, uint8_t id[SHA_DIGEST_LENGTH])
{
	X509_PUBKEY *info = NULL;
	const unsigned char *bits;
	int length;
	bool found = X509_PUBKEY_set(&info, key) && X509_PUBKEY_get0_param(NULL, &bits, &length, NULL, info) &&
	             SHA1(bits, (size_t)length, id);

	X509_PUBKEY_free(info);
	return found;
}

int signer_open(const char *path, struct signer **signer, struct error *error)
{
	struct signer *made = calloc(1, sizeof(*made));
	FILE *file = fopen(path, "re");
	int err = 0;

	*signer = NULL;
	if (!made || !file) {
		err = error_set(error, 0, made ? errno : ENOMEM, "%s: %s", path,
		                made ? strerror(errno) : "out of memory");
		goto out;
	}
	made->key = PEM_read_PrivateKey(file, NULL, ask_passphrase, NULL);
	if (!made->key) {
		ERR_clear_error(); /* a wrong passphrase and no key at all read much the same there */
		err = error_set(error, 0, EINVAL,
		                "%s: no private key in PEM form, or encrypted and " SIGNER_PASSPHRASE
		                " is not its passphrase",
		                path);
		goto out;
	}
	made->scheme = find_scheme(made->key);
	if (!made->scheme)
		err = error_set(error, 0, EINVAL,
		                "%s: neither RSA of 2048 to 8192 bits, EC P-256 or P-384, nor Ed25519", path);
	else if (!find_id(made->key, made->key_id))
		err = sign_crypto_error(error, path);
out:
	if (file)
		(void)fclose(file); /* it was only read */
	if (err == 0)
		*signer = made;
	else
		signer_close(made);
	return err;
}

void signer_close(struct signer *signer)
{
	if (signer)
		EVP_PKEY_free(signer->key);
	free(signer);
}

/* ---- The file ---- */

/* The signed bytes, to the output and through the hash. */
static int copy_signed(const struct reader *zip, uint64_t size, FILE *out, EVP_MD_CTX *hash, struct error *error)
{
	uint8_t *buffer = malloc(CHUNK);
	int err = buffer ? 0 : error_set(error, 0, ENOMEM, "out of memory");

	for (uint64_t at = 0; err == 0 && at < size; at += CHUNK) {
		size_t length = size - at < CHUNK ? (size_t)(size - at) : CHUNK;

		err = zip->read_at(zip->ctx, at, buffer, length);
		if (err < 0)
			err = error_set(error, 0, -err, "cannot read: %s", strerror(-err));
		else if (fwrite(buffer, 1, length, out) != length)
			err = error_set(error, 0, errno, "cannot write: %s", strerror(errno));
		else if (!EVP_DigestUpdate(hash, buffer, length))
			err = sign_crypto_error(error, "cannot hash");
	}
	free(buffer);
	return err;
}

static int write_comment(const struct writer *cms, FILE *out, struct error *error)
{
	size_t cms_size = CMS_MAX - cms->start;
	uint16_t comment_size = (uint16_t)(cms_size + PACKAGE_SIGNATURE_FOOTER);
	uint8_t length[2];
	uint8_t footer[PACKAGE_SIGNATURE_FOOTER] = {0, 0, 0xff, 0xff};

	put_le16(length, comment_size);
	put_le16(footer, comment_size);
	put_le16(footer + 4, comment_size);
	if (fwrite(length, 1, sizeof(length), out) != sizeof(length) ||
	    fwrite(cms->bytes + cms->start, 1, cms_size, out) != cms_size ||
	    fwrite(footer, 1, sizeof(footer), out) != sizeof(footer) || fflush(out) != 0)
		return error_set(error, 0, errno, "cannot write: %s", strerror(errno));
	return 0;
}

static bool is_encrypted(const struct reader *file)
{
	uint8_t magic[CRYPT_MAGIC_SIZE];

	return file->size >= sizeof(magic) && file->read_at(file->ctx, 0, magic, sizeof(magic)) == 0 &&
	       package_is_encrypted(magic, sizeof(magic));
}

static int sign_to(const struct signer *signer, const struct reader *zip, FILE *out, struct error *error)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned hash_size = 0;
	struct writer cms;
	uint64_t size = 0;
	int err = is_encrypted(zip) ? error_set(error, 0, EINVAL, "it is encrypted: sign it before that")
	                            : package_signed_size(zip, &size, error);

	if (err == 0 && (!context || !EVP_DigestInit(context, EVP_get_digestbyname(signer->scheme->hash))))
		err = sign_crypto_error(error, "cannot hash");
	if (err == 0)
		err = copy_signed(zip, size, out, context, error);
	if (err == 0 && !EVP_DigestFinal(context, hash, &hash_size))
		err = sign_crypto_error(error, "cannot hash");
	if (err == 0)
		err = sign_make_cms(signer, hash, hash_size, &cms, error);
	if (err == 0)
		err = write_comment(&cms, out, error);
	EVP_MD_CTX_free(context);
	return err;
}

static int sign_file(const struct signer *signer, int fd, const char *output, struct error *error)
{
	struct reader zip;
	struct stat stat;
	char *part;
	FILE *out = NULL;
	int err = place_begin(output, &part, error);

	if (err < 0)
		return err;
	if (fstat(fd, &stat) < 0 || !(out = fopen(part, "we"))) {
		err = error_set(error, 0, errno, "%s: %s", part, strerror(errno));
		return place_end(part, output, err, error);
	}
	zip = reader_from_file(&fd, (uint64_t)stat.st_size);
	err = sign_to(signer, &zip, out, error);
	if (fclose(out) != 0 && err == 0)
		err = error_set(error, 0, errno, "%s: %s", part, strerror(errno));
	return place_end(part, output, err, error);
}

int signer_sign(const struct signer *signer, const char *input, const char *output, struct error *error)
{
	int fd = open(input, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return error_set(error, 0, errno, "%s: %s", input, strerror(errno));
	err = sign_file(signer, fd, output, error);
	if (err < 0)
		error_prefix(error, "%s", input);
	(void)close(fd); /* it was only read */
	return err;
}
