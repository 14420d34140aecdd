/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/main_encrypt.h"

#include "gentools/encrypt.h"
#include "gentools/main_options.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

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

int main_encrypt(int argc, char **argv)
{
	struct recipients recipients = {0};
	const char *output = NULL;
	const struct main_option options[] = {
		{.name = "to", .letter = 't', .take = main_take_recipient, .ctx = &recipients},
		{.name = "output", .letter = 'o', .text = &output},
	};
	struct error error = {0};
	int status = main_parse_options(argc, argv, usage, options, sizeof(options) / sizeof(options[0]));
	int err;

	if (status != MAIN_GO_ON)
		return status;
	if (recipients.count == 0 || argc - optind != 1) {
		(void)fputs("update_gen encrypt: one package and --to are needed; see --help\n", stderr);
		return EXIT_USAGE;
	}
	err = recipients_encrypt(&recipients, argv[optind], output ? output : argv[optind], &error);
	return main_end("update_gen encrypt", err, &error);
}

int main_take_recipient(void *recipients, const char *name, const char *value)
{
	struct error error;

	(void)name;
	if (recipients_add(recipients, value, &error) == 0)
		return MAIN_GO_ON;
	(void)fprintf(stderr, "update_gen: %s\n", error.message);
	return EXIT_FAILURE;
}
