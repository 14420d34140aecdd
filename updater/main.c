/* SPDX-License-Identifier: Apache-2.0 */
/* The updater program, as recovery starts it: updater API_VERSION PIPE_FD PACKAGE [retry]. */
#include "package/crypt.h"
#include "updater/updater.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
	"usage: updater [--root DIR] [--fstab FILE] [--keys DIR] [--dry-run] VERSION FD PACKAGE [retry]\n"
	"Runs the updater-script of PACKAGE. VERSION is that of the interface to recovery, 1 to 3; progress and\n"
	"messages for recovery go to the open file descriptor FD, the log to standard output.\n"
	"  retry         an earlier run of PACKAGE was cut short: what it recorded as finished in " UPDATER_JOURNAL "\n"
	"                is not read again; without it, that record is removed\n"
	"  --root DIR    every path of the script lies in DIR, the partition or volume NAME is the file DIR/dev/NAME;\n"
	"                PACKAGE itself is a path of this system, not of DIR\n"
	"  --fstab FILE  a recovery.fstab in place of /res/recovery.fstab and /etc/recovery.fstab\n"
	"  --keys DIR    DIR/*.key are for encrypted packages\n"
	"  --dry-run     verify everything, room for all changes too, list every mismatch, change nothing\n"
	"Exit status: 0 done, 1 usage, 2 unknown VERSION, 3 PACKAGE cannot be opened, 4 it has no script, 5 the "
	"script\n"
	"cannot be read, 6 the script has errors, 7 the script was aborted.\n";

struct arguments {
	const char *root;
	const char *fstab;
	const char *keys; /* directory, or NULL */
	const char *package;
	bool resume;
	bool dry_run;
	int pipe;
};

/* Recovery may be gone; the update goes on without it. */
static void tell_pipe(void *ctx, const char *line)
{
	const int *fd = ctx;
	char text[1024];
	int length = snprintf(text, sizeof(text), "%s\n", line);
	const char *at = text;

	while (length > 0) {
		ssize_t n = write(*fd, at, (size_t)length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		at += n;
		length -= (int)n;
	}
}

static enum updater_exit run_package(const struct arguments *arguments, const struct reader *zip)
{
	struct package_limits limits = package_default_limits();
	struct log log = log_to_stdout();
	struct updater_config config = {
		.package_path = arguments->package,
		.tell = tell_pipe,
		.tell_ctx = (void *)&arguments->pipe,
		.log = &log,
		.resume = arguments->resume,
		.dry_run = arguments->dry_run,
		.confined = arguments->root != NULL,
	};
	struct error error;
	enum updater_exit result = UPDATER_PACKAGE;

	if (package_open(zip, &limits, &config.package, &error) < 0) {
		log_printf(&log, "%s: %s", arguments->package, error.message);
		return result;
	}
	if (storage_open_linux(arguments->root, arguments->fstab, &log, &config.storage, &error) < 0) {
		log_printf(&log, "%s", error.message);
		tell_pipe((void *)&arguments->pipe, "log error: 502"); /* RESULT_ABNORMAL: no script has failed */
		result = UPDATER_ABORT;
	} else {
		result = updater_run(&config, &error);
		if (result != UPDATER_OK)
			log_printf(&log, "%s: %s", arguments->package, error.message);
		storage_close(config.storage);
	}
	package_close(config.package);
	return result;
}

/* Of an encrypted package the plain one is read, and nowhere else. */
static enum updater_exit decrypt_and_run(const struct arguments *arguments, const struct reader *file)
{
	struct log log = log_to_stdout();
	struct package_crypt_keys *keys = NULL;
	struct package_crypt *crypt = NULL;
	enum updater_exit result = UPDATER_PACKAGE;
	struct reader zip;
	struct error error;
	int err = 0;

	if (arguments->keys)
		err = package_crypt_keys_load(arguments->keys, &log, &keys, &error);
	if (err == 0)
		err = package_decrypt(file, keys, &crypt, &zip, &error);
	package_crypt_keys_free(keys);
	if (err == 0)
		result = run_package(arguments, &zip);
	else
		log_printf(&log, "%s: %s", arguments->package, error.message);
	package_crypt_free(crypt);
	return result;
}

static enum updater_exit open_and_run(const struct arguments *arguments)
{
	int fd = open(arguments->package, O_RDONLY | O_CLOEXEC);
	struct reader file;
	enum updater_exit result = UPDATER_PACKAGE;
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) < 0) {
		printf("%s: %s\n", arguments->package, strerror(errno));
	} else {
		file = reader_from_file(&fd, (uint64_t)stat.st_size);
		result = decrypt_and_run(arguments, &file);
	}
	if (fd >= 0)
		close(fd);
	return result;
}

/* -1: go on. */
static int parse_options(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"root", required_argument, NULL, 'r'},
		{"fstab", required_argument, NULL, 'f'},
		{"keys", required_argument, NULL, 'k'},
		{"dry-run", no_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
		switch (option) {
		case 'r':
			arguments->root = optarg;
			break;
		case 'f':
			arguments->fstab = optarg;
			break;
		case 'k':
			arguments->keys = optarg;
			break;
		case 'n':
			arguments->dry_run = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return UPDATER_OK;
		case 'v':
			puts("updater " FOTA_VERSION);
			return UPDATER_OK;
		default:
			fputs(usage, stderr);
			return UPDATER_USAGE;
		}
	}
	return -1;
}

static bool parse_descriptor(const char *text, int *fd)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < 0 || value > 65535)
		return false;
	*fd = (int)value;
	return fcntl(*fd, F_GETFD) >= 0;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	int result = parse_options(argc, argv, &arguments);
	const char *version;

	if (result >= 0)
		return result;
	argc -= optind;
	argv += optind;
	/* "retry" is later AOSP's word for an attempt that is not the first. */
	if (argc != 3 && !(argc == 4 && strcmp(argv[3], "retry") == 0)) {
		fputs(usage, stderr);
		return UPDATER_USAGE;
	}
	version = argv[0];
	if (strlen(version) != 1 || *version < '1' || *version > '3') {
		fprintf(stderr, "updater: interface version %s is unknown; 1, 2 and 3 are known\n", version);
		return UPDATER_VERSION;
	}
	if (!parse_descriptor(argv[1], &arguments.pipe)) {
		fprintf(stderr, "updater: %s is no open file descriptor\n", argv[1]);
		return UPDATER_USAGE;
	}
	arguments.package = argv[2];
	arguments.resume = argc == 4;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setvbuf(stdout, NULL, _IONBF, 0); /* the log shall have every line when power goes */
	return (int)open_and_run(&arguments);
}
