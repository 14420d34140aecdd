/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/main_app.h"

#include "gentools/app.h"
#include "gentools/main_settings.h"
#include "gentools/sign.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2, EXIT_NOT_PROVED = 3 };

static const char usage[] =
	"Usage: update_gen app DIR --to /usrdata/PATH -o app.zip [OPTION]...\n"
	"Make a package of user files, which installs on any firmware version of this project: all of DIR goes to\n"
	"PATH.releases/DIGEST, is checked there, and PATH becomes a symbolic link to it at once; older releases go.\n"
	"PATH on the module must be such a link or nothing: it refuses the package while PATH is a directory.\n"
	"\n"
	"  -t, --to PATH       where the files are found on the module; its first name is that of the volume\n"
	"  -o, --output FILE   the package to write\n"
	"      --owner UID:GID owner of everything (default: as in DIR)\n"
	"      --rollback N    rollback index that the package carries: at least that of the modules' firmware\n"
	"  -k, --sign KEY.pem  sign the package, as update_gen sign does\n"
	"      --help          this text\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage, 3 the package does not bring about what it is for.\n";

static const struct option long_options[] = {
	{"to", required_argument, NULL, 't'},
	{"output", required_argument, NULL, 'o'},
	{"owner", required_argument, NULL, 'u'},
	{"rollback", required_argument, NULL, 'r'},
	{"sign", required_argument, NULL, 'k'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static bool take_owner(struct app_options *options, const char *text)
{
	unsigned long long uid;
	unsigned long long gid;
	char *end;

	/* strtoull() takes signs and blanks. */
	errno = 0;
	uid = strtoull(text, &end, 10);
	gid = *end == ':' && end[1] >= '0' && end[1] <= '9' ? strtoull(end + 1, &end, 10) : UINT64_MAX;
	if (*text < '0' || *text > '9' || *end || errno || uid >= UINT32_MAX || gid >= UINT32_MAX) {
		(void)fprintf(stderr, "update_gen app: --owner %s: not UID:GID\n", text);
		return false;
	}
	options->has_owner = true;
	options->uid = (uint32_t)uid;
	options->gid = (uint32_t)gid;
	return true;
}

/* -1 to go on, otherwise the exit status to end with. */
static int parse_options(int argc, char **argv, struct app_options *options)
{
	int c;

	while ((c = getopt_long(argc, argv, "t:o:k:", long_options, NULL)) != -1) {
		switch (c) {
		case 't':
			options->path = optarg;
			break;
		case 'o':
			options->output = optarg;
			break;
		case 'u':
			if (!take_owner(options, optarg))
				return EXIT_USAGE;
			break;
		case 'r':
			options->rollback = optarg;
			break;
		case 'k':
			options->sign = optarg;
			break;
		case 'h':
			return fputs(usage, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
		default:
			return EXIT_USAGE; /* getopt_long() said why */
		}
	}
	if (!options->path || !options->output || argc - optind != 1) {
		(void)fputs("update_gen app: one folder, --to and --output are needed; see --help\n", stderr);
		return EXIT_USAGE;
	}
	options->folder = argv[optind];
	return -1;
}

int main_app(int argc, char **argv)
{
	struct log log = log_to_stdout();
	struct gen_options settings = {0};
	struct app_options options = {0};
	struct error error = {0};
	int status = parse_options(argc, argv, &options);
	int err;

	if (status >= 0)
		return status;
	if (!main_take_time(&settings))
		return EXIT_USAGE;
	options.time = settings.has_time ? &settings.time : NULL;
	err = app_make_package(&options, &log, &error);
	if (err < 0) {
		(void)fprintf(stderr, "update_gen app: %s\n", error.message);
		return err == -EILSEQ || err == -ECANCELED ? EXIT_NOT_PROVED : EXIT_FAILURE;
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
