/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/main_sign.h"

#include "gentools/sign.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2 };

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

static const struct option long_options[] = {
	{"key", required_argument, NULL, 'k'},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

int main_sign(int argc, char **argv)
{
	const char *key = NULL;
	const char *output = NULL;
	struct signer *signer = NULL;
	struct error error = {0};
	int err;
	int c;

	while ((c = getopt_long(argc, argv, "k:o:", long_options, NULL)) != -1) {
		switch (c) {
		case 'k':
			key = optarg;
			break;
		case 'o':
			output = optarg;
			break;
		case 'h':
			return fputs(usage, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
		default:
			return EXIT_USAGE; /* getopt_long() said why */
		}
	}
	if (!key || argc - optind != 1) {
		(void)fputs("update_gen sign: one package and --key are needed; see --help\n", stderr);
		return EXIT_USAGE;
	}
	err = signer_open(key, &signer, &error);
	if (err == 0)
		err = signer_sign(signer, argv[optind], output ? output : argv[optind], &error);
	signer_close(signer);
	if (err < 0)
		(void)fprintf(stderr, "update_gen sign: %s\n", error.message);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
