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
	"   or  applypatch -c FILE [SHA1...]\n"
	"   or  applypatch -s BYTES\n"
	"Patches SOURCE (BSDIFF40 or IMGDIFF2) to TARGET, \"-\" for in place; checks that FILE, or else the backup, "
	"has\n"
	"one of the digests; checks that /cache has room for BYTES. SOURCE, TARGET and FILE are paths, or partitions "
	"and\n"
	"volumes as TYPE:NAME[:SIZE:SHA1]... with TYPE MTD, UBI or EMMC. A SHA1 may be a SHA-256 too.\n"
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

/* ---- -c and -s ---- */

static int check(struct storage *storage, const struct options *options, char **argv, unsigned count)
{
	struct digest_value *digests = calloc(count + 1U, sizeof(*digests));
	char *name = absolute_name(options, argv[0]);
	struct log log = log_to_stdout();
	struct error error;
	int result = EXIT_FAILED;

	if (!digests || !name) {
		fprintf(stderr, "applypatch: %s\n", strerror(errno));
		goto out;
	}
	for (unsigned i = 1; i < count; i++) {
		if (digest_parse(&digests[i - 1], argv[i]) < 0) {
			result = wrong_usage("not a digest", argv[i]);
			goto out;
		}
	}
	if (updater_check(storage, name, digests, count - 1, &log, &error) < 0)
		fprintf(stderr, "applypatch: %s\n", error.message);
	else
		result = EXIT_OK;
out:
	free(name);
	free(digests);
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

struct patches {
	struct updater_patch *list;
	struct storage_reader **files;
	struct reader *io; /* the contents refer to these */
	unsigned count;
};

static void close_patches(struct patches *patches)
{
	for (unsigned i = 0; i < patches->count; i++)
		storage_reader_close(patches->files[i]);
	free(patches->list);
	free(patches->files);
	free(patches->io);
}

/* "SHA1:PATCH" */
static int open_patch(struct storage *storage, const struct options *options, const char *text, struct patches *patches)
{
	unsigned i = patches->count;
	const char *colon = strchr(text, ':');
	char hex[DIGEST_TEXT_SIZE];
	struct error error;

	if (!colon || (size_t)(colon - text) >= sizeof(hex))
		return wrong_usage("not SHA1:PATCH", text);
	(void)snprintf(hex, sizeof(hex), "%.*s", (int)(colon - text), text);
	if (digest_parse(&patches->list[i].source, hex) < 0)
		return wrong_usage("not SHA1:PATCH", text);
	patches->files[i] = open_input(storage, options, colon + 1, &error);
	if (!patches->files[i]) {
		fprintf(stderr, "applypatch: %s\n", error.message);
		return EXIT_FAILED;
	}
	patches->io[i] = storage_reader_io(patches->files[i]);
	patches->list[i].patch = content_from_reader(&patches->io[i]);
	patches->count++;
	return EXIT_OK;
}

static int open_patches(struct storage *storage, const struct options *options, char **argv, unsigned count,
                        struct patches *patches)
{
	int result = EXIT_OK;

	*patches = (struct patches){
		.list = calloc(count, sizeof(*patches->list)),
		.files = calloc(count, sizeof(struct storage_reader *)),
		.io = calloc(count, sizeof(*patches->io)),
	};
	if (!patches->list || !patches->files || !patches->io) {
		fprintf(stderr, "applypatch: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	for (unsigned i = 0; result == EXIT_OK && i < count; i++)
		result = open_patch(storage, options, argv[i], patches);
	return result;
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
	struct updater_apply config = {0};
	struct patches patches = {0};
	char *source = NULL;
	char *target = NULL;
	int result;

	if (digest_parse(&config.digest, argv[2]) < 0)
		return wrong_usage("not a digest", argv[2]);
	if (parse_size(argv[3], &config.size) < 0)
		return wrong_usage("not a number of bytes", argv[3]);
	result = open_patches(storage, options, argv + 4, count - 4, &patches);
	if (result != EXIT_OK)
		goto out;
	source = absolute_name(options, argv[0]);
	target = absolute_name(options, argv[1]);
	if (!source || !target) {
		fprintf(stderr, "applypatch: %s\n", strerror(errno));
		result = EXIT_FAILED;
		goto out;
	}
	config.source = source;
	config.target = target;
	config.patches = patches.list;
	config.patch_count = patches.count;
	result = apply(storage, options, &config);
out:
	free(source);
	free(target);
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
