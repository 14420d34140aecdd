/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/main_encrypt.h"

#include "gentools/encrypt.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: update_gen encrypt PACKAGE --to PUBLIC.pem [--to PUBLIC.pem]... [-o OUTPUT]\n"
	"Encrypt a finished package, signed before, so that only modules with one of the private keys can read it:\n"
	"  openssl genpkey -algorithm x25519 -out fleet.key      for the modules' folders of keys\n"
	"  openssl pkey -in fleet.key -pubout -out fleet.pub     for update_gen\n"
	"\n"
	"  -t, --to FILE       public key, PEM: X25519; may be repeated\n"
	"  -o, --output FILE   the encrypted package (default: PACKAGE itself)\n"
	"      --help          this text\n"
	"\n"
	"Two runs never make the same bytes. Exit status: 0 done, 1 failed, 2 wrong usage.\n";

static const struct option long_options[] = {
	{"to", required_argument, NULL, 't'},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

int main_encrypt(int argc, char **argv)
{
	struct recipients recipients = {0};
	const char *output = NULL;
	struct error error = {0};
	int err = 0;
	int c;

	while (err == 0 && (c = getopt_long(argc, argv, "t:o:", long_options, NULL)) != -1) {
		switch (c) {
		case 't':
			err = recipients_add(&recipients, optarg, &error);
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
	if (err == 0 && (recipients.count == 0 || argc - optind != 1)) {
		(void)fputs("update_gen encrypt: one package and --to are needed; see --help\n", stderr);
		return EXIT_USAGE;
	}
	if (err == 0)
		err = recipients_encrypt(&recipients, argv[optind], output ? output : argv[optind], &error);
	if (err < 0)
		(void)fprintf(stderr, "update_gen encrypt: %s\n", error.message);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
