/* SPDX-License-Identifier: Apache-2.0 */
/* The delta command: the engine alone. */
#include "gentools/delta_files.h"
#include "gentools/delta_info.h"
#include "gentools/main_options.h"
#include "patch/patch.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"Usage: delta make OLD NEW PATCH [--leb BYTES] [--max-memory BYTES]\n"
	"       delta apply OLD PATCH NEW\n"
	"       delta info PATCH [--json]\n"
	"\"make\" writes the difference between two files or images, and proves that it turns one into the other.\n"
	"\"apply\" makes NEW of OLD. \"info\" tells what a patch is made of and what applying it takes.\n"
	"\n"
	"  --leb BYTES         the patch changes its source in place, so many bytes (a LEB of a UBI volume, an erase "
	"block)\n"
	"                      at a time, in an order in which nothing is lost that is needed later. \"apply\" tries "
	"such\n"
	"                      a patch in memory; on a module the updater writes unit by unit\n"
	"  --max-memory BYTES  heap that applying may take at most; K, M or G may follow. Without it about 1 MiB, or\n"
	"                      4 MiB where compressed parts are looked into; a kernel's xz takes some 300 MiB\n"
	"  --json              for programs\n"
	"  --help              this text\n"
	"  --version           version of this program\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage. A file appears under its name when it is whole; one that is "
	"there\n"
	"is replaced.\n";

struct options {
	uint64_t leb;
	uint64_t memory;
	bool json;
	bool version;
};

static int make(const struct options *options, char **paths)
{
	struct patch_native_options native = {
		.unit = (uint32_t)options->leb, .memory = options->memory, .digests = true};
	struct mapped_file old = {.data = NULL};
	struct mapped_file new = {.data = NULL};
	struct new_file patch;
	struct sink sink = new_file_sink(&patch);
	struct error error = {.message = ""};
	int err = mapped_file_open(&old, paths[0], &error);

	if (err == 0)
		err = mapped_file_open(&new, paths[1], &error);
	if (err == 0)
		err = new_file_open(&patch, paths[2], &error);
	if (err == 0) {
		err = patch_make_native(old.data, old.size, new.data, new.size, &native, &sink, &error);
		err = new_file_close(&patch, err, &error);
	}
	mapped_file_close(&old);
	mapped_file_close(&new);
	return main_end("delta", err, &error);
}

/* ---- apply ---- */

/* Of a patch in place: all of the target, changed in memory as the updater changes it on flash. */
static int apply_units(const struct open_file *old, const struct content *patch, const struct patch_native_info *info,
                       const struct sink *sink, struct error *error)
{
	uint64_t room = info->source_size > info->target_size ? info->source_size : info->target_size;
	uint8_t *image;
	int err;

	if (old->reader.size != info->source_size)
		return error_set(error, RESULT_VERIFY, EINVAL,
		                 "old content: %" PRIu64 " bytes, and the patch is for %" PRIu64, old->reader.size,
		                 info->source_size);
	image = malloc((size_t)room + 1);
	if (!image)
		return error_set(error, 0, ENOMEM, "out of memory for %" PRIu64 " bytes", room);
	err = old->reader.read_at(old->reader.ctx, 0, image, (size_t)info->source_size);
	if (err < 0)
		(void)error_set(error, 0, -err, "old content: %s", strerror(-err));
	if (err == 0)
		err = patch_change_image(patch, image, error);
	if (err == 0)
		err = sink->write(sink->ctx, image, (size_t)info->target_size);
	free(image);
	return err;
}

static int apply_copy(const struct open_file *old, const struct content *patch, const struct patch_native_info *info,
                      struct new_file *new, struct error *error)
{
	struct sink sink = new_file_sink(new);
	struct digest_value digest;
	int err;

	if (info->in_place)
		err = apply_units(old, patch, info, &sink, error);
	else
		err = patch_apply(&old->reader, patch, NULL, info->target_size, &sink, error);
	if (err < 0 || !info->has_digests)
		return err;
	digest_finish(&new->digest, &digest);
	if (digest_equal(&digest, &info->target))
		return 0;
	return error_set(error, RESULT_VERIFY, EINVAL,
	                 "what came out is not the target: OLD is not what the patch was made of");
}

static int apply(const struct options *options, char **paths)
{
	struct patch_native_info info;
	struct open_file patch = {.fd = -1};
	struct open_file old = {.fd = -1};
	struct new_file new;
	struct content content;
	struct error error = {.message = ""};
	int err = open_file_open(&old, paths[0], &error);

	(void)options;
	if (err == 0)
		err = open_file_open(&patch, paths[1], &error);
	content = content_from_reader(&patch.reader);
	if (err == 0)
		err = patch_native_look(&content, &info, &error);
	if (err == 0)
		err = new_file_open(&new, paths[2], &error);
	if (err == 0) {
		err = apply_copy(&old, &content, &info, &new, &error);
		err = new_file_close(&new, err, &error);
	}
	open_file_close(&patch);
	open_file_close(&old);
	return main_end("delta", err, &error);
}

static int tell(const struct options *options, char **paths)
{
	struct patch_native_info info;
	struct open_file patch;
	struct content content;
	struct error error = {.message = ""};
	int err = open_file_open(&patch, paths[0], &error);

	content = content_from_reader(&patch.reader);
	if (err == 0)
		err = patch_native_describe(&content, &info, &error);
	if (err == 0 && delta_print_info(&info, patch.reader.size, options->json) < 0)
		err = error_set(&error, 0, EIO, "standard output cannot be written");
	open_file_close(&patch);
	return main_end("delta", err, &error);
}

/* ---- The command line ---- */

struct command {
	const char *name;
	int paths;
	bool makes; /* takes --leb and --max-memory */
	bool tells; /* takes --json */
	int (*run)(const struct options *options, char **paths);
};

static const struct command commands[] = {
	{.name = "make", .paths = 3, .makes = true, .run = make},
	{.name = "apply", .paths = 3, .run = apply},
	{.name = "info", .paths = 1, .tells = true, .run = tell},
};

static int wrong_usage(const char *what, const char *text)
{
	fprintf(stderr, "delta: %s%s; see delta --help\n", what, text);
	return EXIT_USAGE;
}

static int run(const struct command *command, const struct options *options, char **paths, int count)
{
	if (count != command->paths)
		return wrong_usage("wrong number of files for ", command->name);
	if ((!command->makes && (options->leb || options->memory)) || (!command->tells && options->json))
		return wrong_usage("an option that is not for ", command->name);
	return command->run(options, paths);
}

int main(int argc, char **argv)
{
	struct options options = {.leb = 0};
	const struct main_option taken[] = {
		{.name = "leb", .take = main_take_bytes, .ctx = &options.leb},
		{.name = "max-memory", .take = main_take_bytes, .ctx = &options.memory},
		{.name = "json", .flag = &options.json},
		{.name = "version", .flag = &options.version},
	};
	int status = main_parse_options(argc, argv, usage, taken, sizeof(taken) / sizeof(taken[0]));
	int count = argc - optind - 1;

	if (status != MAIN_GO_ON)
		return status;
	if (options.version)
		return puts("delta " FOTA_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (count < 0)
		return wrong_usage("no command", "");
	if (options.leb > UINT32_MAX)
		return wrong_usage("--leb is too large", "");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[optind], commands[i].name) == 0)
			return run(&commands[i], &options, argv + optind + 1, count);
	return wrong_usage("no such command: ", argv[optind]);
}
