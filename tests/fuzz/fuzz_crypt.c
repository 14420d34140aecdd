/* SPDX-License-Identifier: Apache-2.0 */
#include "package/crypt_keys.h"

#include <nettle/curve25519.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "private key of tests/fuzz/corpus": what lies there is encrypted for it. */
static const struct crypt_pair pair = {.private_key = "private key of tests/fuzz/corpus"};

/* Any bytes as a container: refused, or whole and read from both ends. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct package_crypt_keys keys = {.count = 1, .pairs = {pair}};
	struct memory_block block = {.data = data, .size = size};
	struct reader file = reader_from_memory(&block);
	struct package_crypt *crypt;
	struct error error = {0};
	struct reader plain;
	uint8_t byte;

	curve25519_mul_g(keys.pairs[0].public_key, keys.pairs[0].private_key);
	if (package_decrypt(&file, &keys, &crypt, &plain, &error) < 0) {
		if (crypt || error.message[0] == '\0')
			abort();
		return 0;
	}
	if (plain.size > size)
		abort();
	for (uint64_t at = 0; at < plain.size; at += 1 + plain.size / 16) {
		if (plain.read_at(plain.ctx, plain.size - 1 - at, &byte, 1) < 0)
			package_crypt_explain(crypt, &error); /* a chunk may be wrong that open did not read */
	}
	if (plain.read_at(plain.ctx, plain.size, &byte, 1) == 0)
		abort();
	package_crypt_free(crypt);
	return 0;
}
