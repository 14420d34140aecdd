/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/main_sign.h"

#include "gentools/main_options.h"
#include "gentools/sign.h"
#include <getopt.h>
#include <stdio.h>

static const char usage[] =
	"Usage: update_gen sign PACKAGE --key KEY.pem [-o OUTPUT]\n"
	"Sign a package that is there; a signature that it has is replaced. The modules need the public key:\n"
	"  openssl genpkey -algorithm ed25519 -out key.pem\n"
	"  openssl pkey -in key.pem -pubout -out public.pem\n"
	"\n"
	"  -k, --key FILE      private key, PEM: Ed25519, RSA of 2048 to 8192 bits (for AOSP's recoveries: 2048), EC\n"
	"                      P-256 or P-384; " SIGNER_PASSPHRASE " is its passphrase, if it has one\n"
	"  -o, --output FILE   the signed package (default: PACKAGE itself)\n"
	"      --help          this text\n"
	"\n"
	"The same package and key make the same bytes, except for EC. Exit status: 0 done, 1 failed, 2 wrong usage.\n";

int main_sign(int argc, char **argv)
{
	const char *key = NULL;
	const char *output = NULL;
	const struct main_option options[] = {
		{.name = "key", .letter = 'k', .text = &key},
		{.name = "output", .letter = 'o', .text = &output},
	};
	struct signer *signer = NULL;
	struct error error = {0};
	int status = main_parse_options(argc, argv, usage, options, sizeof(options) / sizeof(options[0]));
	int err;

	if (status != MAIN_GO_ON)
		return status;
	if (!key || argc - optind != 1) {
		(void)fputs("update_gen sign: one package and --key are needed; see --help\n", stderr);
		return EXIT_USAGE;
	}
	err = signer_open(key, &signer, &error);
	if (err == 0)
		err = signer_sign(signer, argv[optind], output ? output : argv[optind], &error);
	signer_close(signer);
	return main_end("update_gen sign", err, &error);
}
