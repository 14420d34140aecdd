/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/main_plan.h"

#include "gentools/encrypt.h"
#include "gentools/main_encrypt.h"
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
	"How large the packages between all versions are, and the shortest chain of packages, each within the\n"
	"limit, from the oldest version to the newest. DIR has NAME/targetfiles.zip for each version, or\n"
	"NAME/upgrade/targetfiles.zip; names are ordered as version numbers are (V9 before V10). What is blank in\n"
	"the table has a line below it that says why: too large, or impossible.\n"
	"\n"
	"      --limit BYTES    what a module can take at most (K, M or G may follow the number)\n"
	"      --from NAME      begin there, instead of at the oldest version\n"
	"      --to NAME        end there, instead of at the newest\n"
	"      --back           also packages to older versions\n"
	"      --results DIR    keep the sizes there (default: DIR/results); what is known is not made again\n"
	"      --jobs N         packages that are made at a time (default: one for each processor)\n"
	"      --list           only print a command for each package whose size is not known yet: jobs of their\n"
	"                       own, in any order, on any machines that share both folders\n"
	"      --pair           be such a job: only the package from --from to --to\n"
	"      --compat WHICH, --lists DIR, --sign KEY.pem, --encrypt PUBLIC.pem,\n"
	"      --max-scratch BYTES, --max-memory BYTES, --leb BYTES, --erase-block BYTES\n"
	"                       make the packages so, as update_gen does; one that needs more is impossible\n"
	"      --help           this text\n"
	"\n"
	"PARTS are those of update_gen, by default a. Exit status: 0 there is a chain (of --list and --pair: done),\n"
	"1 failed, 2 wrong usage, 3 there is none.\n";

struct command {
	struct matrix_options options;
	struct recipients recipients;
	bool list;
	bool pair;
};

/* As a shell's word. */
static void put_word(const char *word)
{
	(void)fputs(" '", stdout);
	for (; *word; word++) {
		if (*word == '\'')
			(void)fputs("'\\'", stdout);
		(void)putchar(*word);
	}
	(void)putchar('\'');
}

struct words {
	int count;
	char **words;
};

/* The command that was called, made one of this pair: --pair goes over --list, and the last ends count. */
static void print_job(void *ctx, const char *from, const char *to)
{
	const struct words *words = ctx;

	(void)fputs("update_gen", stdout);
	for (int i = 0; i < words->count; i++)
		put_word(words->words[i]);
	(void)fputs(" --pair --from", stdout);
	put_word(from);
	(void)fputs(" --to", stdout);
	put_word(to);
	(void)putchar('\n');
}

static int plan(const struct matrix_options *options, const struct log *log, bool *found, struct error *error)
{
	struct matrix matrix;
	int err = matrix_make(&matrix, options, log, error);

	if (err == 0) {
		err = matrix_print(&matrix, options, log, error);
		*found = err != -ENOENT;
	}
	matrix_free(&matrix);
	return err;
}

static int run(const struct command *command, struct words *words)
{
	const struct matrix_options *options = &command->options;
	struct log log = log_to_stdout();
	struct error error;
	bool found = true;
	int err = command->pair   ? matrix_make_pair(options, &log, &error)
	          : command->list ? matrix_each_pending(options, print_job, words, &error)
	                          : plan(options, &log, &found, &error);
	int status = main_end("update_gen plan", err, &error);

	return found ? status : EXIT_NO_WAY;
}

int main_plan(int argc, char **argv)
{
	struct command command = {.options = {.jobs = main_processors(), .limit = UINT64_MAX - 1}};
	struct matrix_options *options = &command.options;
	struct gen_options *package = &options->package;
	const struct main_option known[] = {
		{.name = "versions", .text = &options->versions},
		{.name = "limit", .take = main_take_bytes, .ctx = &options->limit},
		{.name = "from", .text = &options->from},
		{.name = "to", .text = &options->to},
		{.name = "back", .flag = &options->back},
		{.name = "results", .text = &options->results},
		{.name = "jobs", .take = main_take_jobs, .ctx = &options->jobs},
		{.name = "list", .flag = &command.list},
		{.name = "pair", .flag = &command.pair},
		{.name = "compat", .take = main_take_compat, .ctx = &package->native},
		{.name = "leb", .take = main_take_unit, .ctx = &package->units.leb},
		{.name = "erase-block", .take = main_take_unit, .ctx = &package->units.erase_block},
		{.name = "lists", .text = &package->lists_folder},
		{.name = "sign", .text = &package->sign},
		{.name = "encrypt", .take = main_take_recipient, .ctx = &command.recipients},
		{.name = "max-scratch", .take = main_take_bytes, .ctx = &package->limits.scratch},
		{.name = "max-memory", .take = main_take_bytes, .ctx = &package->limits.memory},
	};
	int status = main_parse_options(argc, argv, usage, known, sizeof(known) / sizeof(known[0]));

	if (status != MAIN_GO_ON)
		return status;
	for (; optind < argc; optind++) {
		if (gen_parse_parts(argv[optind], &package->parts) < 0) {
			(void)fprintf(stderr, "update_gen: \"%s\": parts are letters of a, m, l, o\n", argv[optind]);
			return EXIT_USAGE;
		}
	}
	if (!package->parts)
		package->parts = GEN_ALL;
	if (command.recipients.count > 0)
		package->recipients = &command.recipients;
	if (options->versions && (!command.pair || (options->from && options->to)))
		return run(&command, &(struct words){.count = argc, .words = argv});
	(void)fprintf(stderr, "update_gen: plan %s; see update_gen plan --help\n",
	              options->versions ? "--pair needs --from and --to" : "needs --versions");
	return EXIT_USAGE;
}
