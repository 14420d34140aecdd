/* SPDX-License-Identifier: Apache-2.0 */
/* The applypatch command: one object, by AOSP's command line. */
#include "updater/updater.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

static const char usage[] =
	"usage: applypatch [-b BONUS] SOURCE TARGET|- TARGET_SHA1 TARGET_SIZE SOURCE_SHA1:PATCH...\n"
	"   or  applypatch -c FILE [SHA1|PATCH...]\n"
	"   or  applypatch -s BYTES\n"
	"Patches SOURCE to TARGET, \"-\" for in place; checks that FILE, or else the backup, has one of the digests,\n"
	"or that FILE is part-way through a PATCH that changes it in place; checks that /cache has room for BYTES.\n"
	"Patches are BSDIFF40, IMGDIFF2 or FOTADLT1. SOURCE, TARGET and FILE are paths, or partitions and volumes as\n"
	"TYPE:NAME[:SIZE:SHA1]... with TYPE MTD, UBI or EMMC. A SHA1 may be a SHA-256 too.\n"
	"  --root DIR  absolute paths lie in DIR, the partition or volume NAME is the file DIR/dev/NAME\n"
	"Exit status: 0 done or true, 1 failed or false, 2 usage.\n";

struct options {
	const char *root;
	const char *bonus;
	char mode; /* 'p' patch, 'c' check, 's' space */
};

static int wrong_usage(const char *what, const char *text)
{
	fprintf(stderr, "applypatch: %s: %s\n", what, text);
	return EXIT_USAGE;
}

/*
 * Storage knows no working directory. NULL: out of memory, or no working directory. Caller frees.
 */
static char *absolute_name(const struct options *options, const char *text)
{
	char *here;
	char *name = NULL;

	if (*text == '/' || strcmp(text, "-") == 0 || text[strcspn(text, ":/")] == ':' || options->root)
		return strdup(text);
	here = getcwd(NULL, 0);
	if (!here || asprintf(&name, "%s/%s", here, text) < 0)
		name = NULL;
	free(here);
	return name;
}

/* A plain file that is read where it lies: a patch, the bonus. */
static struct storage_reader *open_input(struct storage *storage, const struct options *options, const char *path,
                                         struct error *error)
{
	struct storage_reader *file = NULL;
	struct storage_name name;
	char *absolute = absolute_name(options, path);

	if (!absolute)
		(void)error_set(error, 0, ENOMEM, "%.400s: %s", path, strerror(errno));
	else if (storage_name_parse(absolute, &name, error) == 0 &&
	         storage_reader_open(storage, &name, &file, error) < 0)
		file = NULL;
	free(absolute);
	return file;
}

static int parse_size(const char *text, uint64_t *size)
{
	char *end;

	errno = 0;
	*size = strtoull(text, &end, 10);
	return errno || end == text || *end || *text == '-' ? -EINVAL : 0;
}

/* ---- Patches ---- */

struct patches {
	struct content *contents;
	struct storage_reader **files;
	struct reader *io; /* the contents refer to these */
	unsigned count;
};

static int make_patches(struct patches *patches, unsigned count)
{
	*patches = (struct patches){
		.contents = calloc(count + 1U, sizeof(*patches->contents)),
		.files = calloc(count + 1U, sizeof(struct storage_reader *)),
		.io = calloc(count + 1U, sizeof(*patches->io)),
	};
	return patches->contents && patches->files && patches->io ? EXIT_OK : EXIT_FAILED;
}

static void close_patches(struct patches *patches)
{
	for (unsigned i = 0; i < patches->count; i++)
		storage_reader_close(patches->files[i]);
	free(patches->contents);
	free(patches->files);
	free(patches->io);
}

static bool add_patch(struct storage *storage, const struct options *options, const char *path, struct patches *patches,
                      struct error *error)
{
	unsigned i = patches->count;

	patches->files[i] = open_input(storage, options, path, error);
	if (!patches->files[i])
		return false;
	patches->io[i] = storage_reader_io(patches->files[i]);
	patches->contents[i] = content_from_reader(&patches->io[i]);
	patches->count++;
	return true;
}

/* ---- -c and -s ---- */

struct wanted {
	struct digest_value *digests;
	unsigned digest_count;
	struct patches patches; /* in place: what is part-way of one of them is right, too */
};

static int add_wanted(struct storage *storage, const struct options *options, const char *text, struct wanted *wanted)
{
	struct error error;

	if (digest_parse(&wanted->digests[wanted->digest_count], text) == 0) {
		wanted->digest_count++;
		return EXIT_OK;
	}
	return add_patch(storage, options, text, &wanted->patches, &error)
	               ? EXIT_OK
	               : wrong_usage("no digest, nor a patch", text);
}

static int check(struct storage *storage, const struct options *options, char **argv, unsigned count)
{
	struct wanted wanted = {.digests = calloc(count + 1U, sizeof(*wanted.digests))};
	char *name = absolute_name(options, argv[0]);
	struct log log = log_to_stdout();
	int result = make_patches(&wanted.patches, count);
	struct error error;
	int err;

	if (result != EXIT_OK || !wanted.digests || !name) {
		fprintf(stderr, "applypatch: %s\n", strerror(errno));
		result = EXIT_FAILED;
		goto out;
	}
	for (unsigned i = 1; result == EXIT_OK && i < count; i++)
		result = add_wanted(storage, options, argv[i], &wanted);
	if (result != EXIT_OK)
		goto out;
	err = updater_check(storage, name, wanted.digests, wanted.digest_count, &log, &error);
	if (err == -EILSEQ && wanted.patches.count > 0)
		err = updater_check_part_way(storage, name, wanted.patches.contents, wanted.patches.count, &log,
		                             &error);
	if (err < 0) {
		fprintf(stderr, "applypatch: %s\n", error.message);
		result = EXIT_FAILED;
	}
out:
	free(name);
	free(wanted.digests);
	close_patches(&wanted.patches);
	return result;
}

static int check_space(struct storage *storage, const char *text)
{
	struct error error;
	uint64_t available;
	uint64_t bytes;

	if (parse_size(text, &bytes) < 0)
		return wrong_usage("not a number of bytes", text);
	if (storage_free_space(storage, UPDATER_BACKUP, &available, &error) < 0) {
		fprintf(stderr, "applypatch: %s\n", error.message);
		return EXIT_FAILED;
	}
	if (available >= bytes)
		return EXIT_OK;
	fprintf(stderr, "applypatch: unable to make %llu bytes available on /cache: %llu are free\n",
	        (unsigned long long)bytes, (unsigned long long)available);
	return EXIT_FAILED;
}

/* ---- Patch ---- */

/* "SHA1:PATCH" */
static int open_patch(struct storage *storage, const struct options *options, const char *text,
                      struct updater_patch *patch, struct patches *patches)
{
	const char *colon = strchr(text, ':');
	char hex[DIGEST_TEXT_SIZE];
	struct error error;

	if (!colon || (size_t)(colon - text) >= sizeof(hex))
		return wrong_usage("not SHA1:PATCH", text);
	(void)snprintf(hex, sizeof(hex), "%.*s", (int)(colon - text), text);
	if (digest_parse(&patch->source, hex) < 0)
		return wrong_usage("not SHA1:PATCH", text);
	if (!add_patch(storage, options, colon + 1, patches, &error)) {
		fprintf(stderr, "applypatch: %s\n", error.message);
		return EXIT_FAILED;
	}
	patch->patch = patches->contents[patches->count - 1];
	return EXIT_OK;
}

static int apply(struct storage *storage, const struct options *options, const struct updater_apply *without_bonus)
{
	struct updater_apply apply = *without_bonus;
	struct storage_reader *bonus_file = NULL;
	struct log log = log_to_stdout();
	struct reader bonus;
	struct error error;
	int err = 0;

	if (options->bonus) {
		bonus_file = open_input(storage, options, options->bonus, &error);
		if (!bonus_file)
			goto fail;
		bonus = storage_reader_io(bonus_file);
		apply.bonus = &bonus;
	}
	err = updater_apply(storage, &apply, &log, &error);
	if (bonus_file)
		storage_reader_close(bonus_file);
	if (err == 0)
		return EXIT_OK;
fail:
	fprintf(stderr, "applypatch: %s\n", error.message);
	return EXIT_FAILED;
}

static int patch(struct storage *storage, const struct options *options, char **argv, unsigned count)
{
	struct updater_patch *list = calloc(count, sizeof(*list));
	struct updater_apply config = {.patches = list, .patch_count = count - 4};
	char *source = absolute_name(options, argv[0]);
	char *target = absolute_name(options, argv[1]);
	struct patches patches;
	int result = make_patches(&patches, count);

	if (result != EXIT_OK || !list || !source || !target) {
		fprintf(stderr, "applypatch: %s\n", strerror(errno));
		result = EXIT_FAILED;
		goto out;
	}
	if (digest_parse(&config.digest, argv[2]) < 0)
		result = wrong_usage("not a digest", argv[2]);
	else if (parse_size(argv[3], &config.size) < 0)
		result = wrong_usage("not a number of bytes", argv[3]);
	for (unsigned i = 0; result == EXIT_OK && i < count - 4; i++)
		result = open_patch(storage, options, argv[4 + i], &list[i], &patches);
	config.source = source;
	config.target = target;
	if (result == EXIT_OK)
		result = apply(storage, options, &config);
out:
	free(source);
	free(target);
	free(list);
	close_patches(&patches);
	return result;
}

static int run(const struct options *options, char **argv, unsigned count)
{
	struct log log = log_to_stdout();
	struct storage *storage;
	struct error error;
	int result;

	if (storage_open_linux(options->root, NULL, &log, &storage, &error) < 0) {
		fprintf(stderr, "applypatch: %s\n", error.message);
		return EXIT_FAILED;
	}
	if (options->mode == 'c')
		result = check(storage, options, argv, count);
	else if (options->mode == 's')
		result = check_space(storage, argv[0]);
	else
		result = patch(storage, options, argv, count);
	storage_close(storage);
	return result;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"root", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct options options = {.mode = 'p'};
	int least;

	for (int option; (option = getopt_long(argc, argv, "+b:cs", long_options, NULL)) != -1;) {
		if (option == 'r') {
			options.root = optarg;
		} else if (option == 'b') {
			options.bonus = optarg;
		} else if (option == 'c' || option == 's') {
			options.mode = (char)option;
		} else {
			fputs(usage, option == 'h' ? stdout : stderr);
			return option == 'h' ? EXIT_OK : EXIT_USAGE;
		}
	}
	least = options.mode == 'p' ? 5 : 1;
	if (argc - optind < least || (options.mode == 's' && argc - optind > 1)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return run(&options, argv + optind, (unsigned)(argc - optind));
}
