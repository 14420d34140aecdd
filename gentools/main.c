/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/encrypt.h"
#include "gentools/gentools.h"
#include "gentools/main_app.h"
#include "gentools/main_encrypt.h"
#include "gentools/main_options.h"
#include "gentools/main_plan.h"
#include "gentools/main_settings.h"
#include "gentools/main_sign.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"Usage: update_gen PARTS... --source v1/targetfiles.zip --target v2/targetfiles.zip -o update.zip\n"
	"       update_gen plan --versions DIR [--limit BYTES]   sizes of all packages; see update_gen plan --help\n"
	"       update_gen app DIR --to /usrdata/PATH -o app.zip   package of user files; see update_gen app --help\n"
	"       update_gen sign update.zip --key KEY.pem    sign it; see update_gen sign --help\n"
	"       update_gen encrypt update.zip --to PUBLIC.pem   encrypt it; see update_gen encrypt --help\n"
	"       update_gen verify update.zip [PARTS...] --source v1/targetfiles.zip [--target v2/targetfiles.zip]\n"
	"Make an update package with the differences of two firmware versions, and prove that it turns one into the\n"
	"other: the updater's own code installs it on a model of the module. \"verify\" proves it for a package that\n"
	"is there; give it the parts that the package was made of.\n"
	"\n"
	"A first package, of folders v1 (what runs on the modules) and v2 (what shall run there) with a\n"
	"targetfiles.zip each, or with the folder targetfiles that it is made from as root:\n"
	"  rm -f v2/targetfiles.zip && (cd v2/targetfiles && zip -qry0 ../targetfiles.zip ./*)\n"
	"  update_gen a -s v1 -t v2 -o update.zip > log\n"
	"\n"
	"PARTS, letters that combine (\"ml\" or \"m l\"):\n"
	"  a   everything: modem, Linux, kernel and the MULTIFOTA images\n"
	"  m   modem: SYSTEM/firmware\n"
	"  l   Linux file system: SYSTEM without firmware and dev\n"
	"  o   kernel: BOOTABLE_IMAGES/boot.img\n"
	"\n"
	"Options:\n"
	"  -s, --source FILE   what runs on the modules: targetfiles.zip, the folder that it was unpacked to, or the\n"
	"                      folder that one of these lies in (v1)\n"
	"  -t, --target FILE   what shall run there, the same\n"
	"  -o, --output FILE   the package to write\n"
	"      --allow-empty   make a package even when nothing differs\n"
	"      --sign KEY.pem  sign the package, as update_gen sign does\n"
	"      --encrypt PUBLIC.pem  encrypt it in the end, as update_gen encrypt does; may be repeated\n"
	"      --key KEY       private key for \"verify\" to read an encrypted package with\n"
	"      --no-verify     write the package without that proof, in which scratch and memory are counted\n"
	"      --compat WHICH  lineage (default): updaters of the whole lineage take the package; native: only this\n"
	"                      project's, for patches that know of ARM code and take less memory, SHA-256 digests,\n"
	"                      copies of files, device nodes, FIFOs, hard links and extended attributes, which verify\n"
	"                      compares then, too\n"
	"      --leb BYTES, --erase-block BYTES  of the modules' flash, unless a .ubi image tells: with --compat\n"
	"                      native UBI volumes and raw partitions are then changed in place, a LEB or an erase\n"
	"                      block at a time, without a copy of the old image in /cache\n"
	"      --max-package BYTES  fail when the package is larger; K, M or G may follow it\n"
	"      --max-scratch BYTES  fail when it needs more room in /cache, beside itself\n"
	"      --max-memory BYTES   make patches that the updater applies in so much, fail where there are none\n"
	"      --full          the package installs on any version, whatever files a module has: all of the target\n"
	"                      comes whole, everything else is removed: with --compat native file by file, else both\n"
	"                      file systems are formatted; needs no --source\n"
	"      --minimal       make two packages, for modules without room for one: update.zip and update-2.zip, none\n"
	"                      larger than --max-package; the module fetches the second by itself\n"
	"      --fullota FILE  list of what is replaced whole, whatever the module has there\n"
	"      --noota FILE    list of what stays as it is on the module: not changed, not checked\n"
	"      --chmod FILE    list of modes and owners that go over the target's:\n"
	"                      PATH [FILE_MODE UID GID [FOLDER_MODE]], PATH/ for a folder and what is in it\n"
	"      --multifota FILE  list of the MULTIFOTA images to upgrade: IMAGE [PARTITION], or IMAGE UBI:VOLUME\n"
	"      --lists DIR     take from DIR what is there of quectel_fullota_filelist.txt, quectel_noota_...,\n"
	"                      quectel_chmod_..., quectel_multifota_... and quectel_project_filelist.txt\n"
	"      --jobs N        patches that are made at a time (default: one for each processor); the package is the\n"
	"                      same for any N, the memory is not: five times the largest changed files, N of them\n"
	"      --json FILE     write the package in figures, as JSON; \"-\" for standard output, without the log then\n"
	"      --quiet         no progress bar; there is one when standard error is a terminal and the log is not\n"
	"      --help          this text\n"
	"      --version       version of this program\n"
	"\n"
	"fullota and noota have a path per line, like SYSTEM/etc/webui/test.cfg; a folder stands for all that is in\n"
	"it, and * ? [...] for parts of one name. Lines with '#' are comments.\n"
	"\n"
	"Standard output is the log, standard error only has errors.\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage, 3 the proof failed: the package does not turn one version into\n"
	"the other. TMPDIR: where both images are unpacked. SOURCE_DATE_EPOCH: time of the package's entries, seconds\n"
	"since 1970; without it all have the same. The same inputs make the same bytes, on any machine.\n";

struct command {
	struct gen_options options;
	bool verify; /* only that, of options.output */
	bool quiet;
	bool version; /* only that of the program */
	struct recipients recipients;
};

/* What is no option: "verify PACKAGE", and parts; and what goes with what. Then all must be there. */
static int parse_words(int count, char **words, struct command *command)
{
	struct gen_options *options = &command->options;

	if (options->minimal && options->limits.package == 0) {
		(void)fputs("update_gen: --minimal needs --max-package; see --help\n", stderr);
		return EXIT_USAGE;
	}
	if (options->full && options->minimal) {
		(void)fputs("update_gen: --full is not for --minimal; see --help\n", stderr);
		return EXIT_USAGE;
	}
	if (count > 0 && strcmp(words[0], "verify") == 0) {
		if (count < 2 || options->output) {
			(void)fputs("update_gen: verify takes the package behind it, and no --output; see --help\n",
			            stderr);
			return EXIT_USAGE;
		}
		command->verify = true;
		options->output = words[1];
		count -= 2;
		words += 2;
		if (count == 0)
			options->parts = GEN_ALL;
	}
	if (options->key && !command->verify) {
		(void)fputs("update_gen: --key is for verify, --sign KEY.pem signs; see --help\n", stderr);
		return EXIT_USAGE;
	}
	for (; count > 0; count--, words++) {
		if (gen_parse_parts(*words, &options->parts) < 0) {
			(void)fprintf(stderr, "update_gen: \"%s\": parts are letters of a, m, l, o\n", *words);
			return EXIT_USAGE;
		}
	}
	if (options->parts && (options->source || (options->full && !command->verify)) &&
	    (options->target || command->verify) && options->output)
		return MAIN_GO_ON;
	(void)fprintf(stderr, "update_gen: %s needed; see --help\n",
	              command->verify ? "--source is"
	              : options->full ? "parts, --target and --output are"
	                              : "parts, --source, --target and --output are");
	return EXIT_USAGE;
}

/* Fills the command; MAIN_GO_ON, or the exit status to end with. */
static int parse_options(int argc, char **argv, struct command *command)
{
	struct gen_options *made = &command->options;
	const struct main_option options[] = {
		{.name = "source", .letter = 's', .text = &made->source},
		{.name = "target", .letter = 't', .text = &made->target},
		{.name = "output", .letter = 'o', .text = &made->output},
		{.name = "allow-empty", .flag = &made->allow_empty},
		{.name = "sign", .text = &made->sign},
		{.name = "encrypt", .take = main_take_recipient, .ctx = &command->recipients},
		{.name = "key", .text = &made->key},
		{.name = "no-verify", .flag = &made->no_verify},
		{.name = "full", .flag = &made->full},
		{.name = "minimal", .flag = &made->minimal},
		{.name = "compat", .take = main_take_compat, .ctx = &made->native},
		{.name = "leb", .take = main_take_unit, .ctx = &made->units.leb},
		{.name = "erase-block", .take = main_take_unit, .ctx = &made->units.erase_block},
		{.name = "max-package", .take = main_take_bytes, .ctx = &made->limits.package},
		{.name = "max-scratch", .take = main_take_bytes, .ctx = &made->limits.scratch},
		{.name = "max-memory", .take = main_take_bytes, .ctx = &made->limits.memory},
		{.name = "fullota", .text = &made->lists[GEN_FULLOTA]},
		{.name = "noota", .text = &made->lists[GEN_NOOTA]},
		{.name = "chmod", .text = &made->lists[GEN_CHMOD]},
		{.name = "multifota", .text = &made->lists[GEN_MULTIFOTA]},
		{.name = "lists", .text = &made->lists_folder},
		{.name = "jobs", .take = main_take_jobs, .ctx = &made->jobs},
		{.name = "json", .text = &made->summary},
		{.name = "quiet", .flag = &command->quiet},
		{.name = "version", .flag = &command->version},
	};
	int status = main_parse_options(argc, argv, usage, options, sizeof(options) / sizeof(options[0]));

	if (status != MAIN_GO_ON)
		return status;
	if (command->version)
		return puts("update_gen " FOTA_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (command->recipients.count > 0)
		made->recipients = &command->recipients;
	return parse_words(argc - optind, argv + optind, command);
}

int main(int argc, char **argv)
{
	struct log log = log_to_stdout();
	struct command command = {.options.jobs = main_processors()};
	struct main_bar bar = {0};
	struct error error = {0};
	int status = argc > 1 && strcmp(argv[1], "app") == 0       ? main_app(argc - 1, argv + 1)
	             : argc > 1 && strcmp(argv[1], "plan") == 0    ? main_plan(argc - 1, argv + 1)
	             : argc > 1 && strcmp(argv[1], "encrypt") == 0 ? main_encrypt(argc - 1, argv + 1)
	             : argc > 1 && strcmp(argv[1], "sign") == 0    ? main_sign(argc - 1, argv + 1)
	                                                           : parse_options(argc, argv, &command);
	int err;

	if (status != MAIN_GO_ON)
		return status;
	if (!main_take_time(&command.options))
		return EXIT_USAGE;
	if (command.options.summary && strcmp(command.options.summary, "-") == 0)
		log = (struct log){0};
	if (!command.quiet)
		command.options.progress = main_progress(&bar);
	err = command.verify ? gen_verify_package(&command.options, &log, &error)
	                     : gen_make_package(&command.options, &log, &error);
	main_end_progress(&bar);
	return main_end("update_gen", err, &error);
}
