/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/main_plan.h"

#include "gentools/main_options.h"
#include "gentools/main_settings.h"
#include "gentools/matrix.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_NO_WAY = 3 };

static const char usage[] =
	"Usage: update_gen plan --versions DIR [OPTION]... [PARTS]...\n"
	"How large the packages between all versions are, neither signed nor encrypted, and the shortest chain of\n"
	"packages, each within the limit, from the oldest version to the newest. DIR has NAME/targetfiles.zip for\n"
	"each version; names are ordered as version numbers are (V9 before V10).\n"
	"\n"
	"      --limit BYTES    what a module can take at most (K and M may follow the number); others are blank in\n"
	"                       the table, with their reasons below it\n"
	"      --from NAME      begin there, instead of at the oldest version\n"
	"      --to NAME        end there, instead of at the newest\n"
	"      --back           also packages to older versions\n"
	"      --results DIR    keep the sizes there (default: DIR/results); what is known is not made again, and\n"
	"                       several machines may work on one folder at the same time\n"
	"      --jobs N         packages that are made at a time (default: one for each processor)\n"
	"      --help           this text\n"
	"\n"
	"PARTS are those of update_gen, by default a. Exit status: 0 there is a chain, 1 failed, 2 wrong usage, 3\n"
	"there is none.\n";

static int run(const struct matrix_options *options)
{
	struct log log = log_to_stdout();
	struct matrix matrix;
	struct error error;
	int status = EXIT_SUCCESS;
	int err = matrix_make(&matrix, options, &log, &error);

	if (err == 0) {
		err = matrix_print(&matrix, options, &log, &error);
		if (err == -ENOENT)
			status = EXIT_NO_WAY;
	}
	matrix_free(&matrix);
	if (err < 0)
		(void)fprintf(stderr, "update_gen: %s\n", error.message);
	if (err < 0 && status == EXIT_SUCCESS)
		status = EXIT_FAILURE;
	return status;
}

int main_plan(int argc, char **argv)
{
	struct matrix_options options = {.jobs = main_processors(), .limit = UINT64_MAX - 1};
	const struct main_option known[] = {
		{.name = "versions", .text = &options.versions},
		{.name = "limit", .take = main_take_bytes, .ctx = &options.limit},
		{.name = "from", .text = &options.from},
		{.name = "to", .text = &options.to},
		{.name = "back", .flag = &options.back},
		{.name = "results", .text = &options.results},
		{.name = "jobs", .take = main_take_jobs, .ctx = &options.jobs},
	};
	int status = main_parse_options(argc, argv, usage, known, sizeof(known) / sizeof(known[0]));

	if (status != MAIN_GO_ON)
		return status;
	for (; optind < argc; optind++) {
		if (gen_parse_parts(argv[optind], &options.parts) < 0) {
			(void)fprintf(stderr, "update_gen: \"%s\": parts are letters of a, m, l, o\n", argv[optind]);
			return EXIT_USAGE;
		}
	}
	if (!options.parts)
		options.parts = GEN_ALL;
	if (options.versions)
		return run(&options);
	(void)fputs("update_gen: plan needs --versions; see update_gen plan --help\n", stderr);
	return EXIT_USAGE;
}
