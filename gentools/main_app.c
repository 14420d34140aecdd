/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/main_app.h"

#include "gentools/app.h"
#include "gentools/main_options.h"
#include "gentools/main_settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

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

static int take_owner(void *ctx, const char *name, const char *text)
{
	struct app_options *options = ctx;
	unsigned long long uid;
	unsigned long long gid;
	char *end;

	/* strtoull() takes signs and blanks. */
	errno = 0;
	uid = strtoull(text, &end, 10);
	gid = *end == ':' && end[1] >= '0' && end[1] <= '9' ? strtoull(end + 1, &end, 10) : UINT64_MAX;
	if (*text < '0' || *text > '9' || *end || errno || uid >= UINT32_MAX || gid >= UINT32_MAX) {
		(void)fprintf(stderr, "update_gen app: --%s %s: not UID:GID\n", name, text);
		return EXIT_USAGE;
	}
	options->has_owner = true;
	options->uid = (uint32_t)uid;
	options->gid = (uint32_t)gid;
	return MAIN_GO_ON;
}

/* MAIN_GO_ON, or the exit status to end with. */
static int parse_options(int argc, char **argv, struct app_options *options)
{
	const struct main_option known[] = {
		{.name = "to", .letter = 't', .text = &options->path},
		{.name = "output", .letter = 'o', .text = &options->output},
		{.name = "owner", .take = take_owner, .ctx = options},
		{.name = "rollback", .text = &options->rollback},
		{.name = "sign", .letter = 'k', .text = &options->sign},
	};
	int status = main_parse_options(argc, argv, usage, known, sizeof(known) / sizeof(known[0]));

	if (status != MAIN_GO_ON)
		return status;
	if (!options->path || !options->output || argc - optind != 1) {
		(void)fputs("update_gen app: one folder, --to and --output are needed; see --help\n", stderr);
		return EXIT_USAGE;
	}
	options->folder = argv[optind];
	return MAIN_GO_ON;
}

int main_app(int argc, char **argv)
{
	struct log log = log_to_stdout();
	struct gen_options settings = {0};
	struct app_options options = {0};
	struct error error = {0};
	int status = parse_options(argc, argv, &options);
	int err;

	if (status != MAIN_GO_ON)
		return status;
	if (!main_take_time(&settings))
		return EXIT_USAGE;
	options.time = settings.has_time ? &settings.time : NULL;
	err = app_make_package(&options, &log, &error);
	return main_end("update_gen app", err, &error);
}
