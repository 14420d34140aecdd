/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/gentools.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: update_gen PARTS... --source v1/targetfiles.zip --target v2/targetfiles.zip -o update.zip\n"
	"Make an update package with the differences of two firmware versions.\n"
	"\n"
	"PARTS, letters that combine (\"ml\" or \"m l\"):\n"
	"  a   everything: modem, Linux, kernel and the MULTIFOTA images\n"
	"  m   modem: SYSTEM/firmware\n"
	"  l   Linux file system: SYSTEM without firmware and dev\n"
	"  o   kernel: BOOTABLE_IMAGES/boot.img\n"
	"\n"
	"Options:\n"
	"  -s, --source FILE   targetfiles.zip of what runs on the modules\n"
	"  -t, --target FILE   targetfiles.zip of what shall run there\n"
	"  -o, --output FILE   the package to write\n"
	"      --allow-empty   make a package even when nothing differs\n"
	"      --help          this text\n"
	"      --version       version of this program\n"
	"\n"
	"Standard output is the log, standard error only has errors.\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage. TMPDIR: where both images are unpacked.\n";

static const struct option long_options[] = {
	{"source", required_argument, NULL, 's'},
	{"target", required_argument, NULL, 't'},
	{"output", required_argument, NULL, 'o'},
	{"allow-empty", no_argument, NULL, 'e'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},
	{NULL, 0, NULL, 0},
};

/* Fills the options; -1 to go on, otherwise the exit status to end with. */
static int parse_options(int argc, char **argv, struct gen_options *options)
{
	int c;

	while ((c = getopt_long(argc, argv, "s:t:o:", long_options, NULL)) != -1) {
		switch (c) {
		case 's':
			options->source = optarg;
			break;
		case 't':
			options->target = optarg;
			break;
		case 'o':
			options->output = optarg;
			break;
		case 'e':
			options->allow_empty = true;
			break;
		case 'h':
			return fputs(usage, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
		case 'v':
			return puts("update_gen " FOTA_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
		default:
			return EXIT_USAGE; /* getopt_long() said why */
		}
	}
	for (; optind < argc; optind++) {
		if (gen_parse_parts(argv[optind], &options->parts) < 0) {
			(void)fprintf(stderr, "update_gen: \"%s\": parts are letters of a, m, l, o\n", argv[optind]);
			return EXIT_USAGE;
		}
	}
	if (options->parts && options->source && options->target && options->output)
		return -1;
	(void)fputs("update_gen: parts, --source, --target and --output are needed; see --help\n", stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct log log = log_to_stdout();
	struct gen_options options = {0};
	struct error error = {0};
	int status = parse_options(argc, argv, &options);

	if (status >= 0)
		return status;
	if (gen_make_package(&options, &log, &error) < 0) {
		(void)fprintf(stderr, "update_gen: %s\n", error.message);
		return EXIT_FAILURE;
	}
	if (fflush(stdout) != 0) {
		perror("update_gen: standard output");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
