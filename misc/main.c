/* SPDX-License-Identifier: Apache-2.0 */
/* miscctl: look at the upgrade flag, set it, erase it. */
#include "misc/misc.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define EXIT_USAGE 2
#define EXIT_ARMED 10

#define COMMAND_PATH "/cache/recovery/command"

static const char usage[] =
	"Usage: miscctl [OPTION]... show\n"
	"       miscctl [OPTION]... arm [ARGUMENT]...\n"
	"       miscctl [OPTION]... clear\n"
	"       miscctl [OPTION]... resume\n"
	"\n"
	"show prints the bootloader message and the attempts of the upgrade that is armed. arm makes the next boot\n"
	"start recovery with the arguments (default: " MISC_DEFAULT_ARGUMENT ").\n"
	"Where misc has only one block, " COMMAND_PATH " keeps them too. clear erases the message\n"
	"and this file, and forgets the attempts. resume is for the normal system, at each of its starts:\n"
	"an upgrade whose message a power cut took away is armed again.\n"
	"\n"
	"  --root DIR        look for devices, files and the fstab below DIR (the partition is DIR/dev/NAME)\n"
	"  --fstab FILE      the recovery.fstab\n"
	"  --partition NAME  instead of misc\n"
	"  --help            this text\n"
	"  --version         the version\n"
	"\n"
	"Exit: 0 done, 1 failed, 2 wrong usage, 10 resume has armed: reboot now.\n";

struct options {
	const char *root;
	const char *fstab;
	const char *partition;
};

static int fail(const struct error *error)
{
	(void)fprintf(stderr, "miscctl: %s\n", error->message);
	return 1;
}

/* The message may hold anything; a terminal gets printable bytes only. */
static void print_text(const char *label, const char *text)
{
	printf("%s", label);
	for (; *text; text++)
		(void)putchar(*text >= ' ' && *text <= '~' ? *text : '?');
	(void)putchar('\n');
}

static int show(struct misc *misc)
{
	struct misc_message message;
	struct misc_attempts attempts;
	struct error error;
	char text[sizeof(message.recovery)];
	char *arguments[MISC_ARGUMENTS_MAX];
	unsigned count;

	if (misc_read_message(misc, &message, &error))
		return fail(&error);
	print_text("command: ", message.command);
	print_text("status: ", message.status);
	count = misc_split_arguments(&message, text, arguments);
	for (unsigned i = 0; i < count; i++)
		print_text("argument: ", arguments[i]);
	if (misc_attempts_read(misc, 0, &attempts, &error))
		return fail(&error);
	printf("attempts: %u\n", attempts.begun);
	printf("failed: %u\n", attempts.failed);
	if (attempts.last_code)
		printf("last error: %d\n", attempts.last_code);
	printf("state: %s\n", attempts.ended ? "ended" : attempts.pending ? "pending" : "nothing armed");
	if (attempts.last_code)
		print_text("cause: ", attempts.cause);
	return 0;
}

static int arm(struct misc *misc, struct storage *storage, char *const *arguments, int count)
{
	static const char *const standard[] = {MISC_DEFAULT_ARGUMENT};
	const char *const *chosen = count ? (const char *const *)arguments : standard;
	struct error error;

	return misc_request(misc, storage, COMMAND_PATH, chosen, count ? (unsigned)count : 1, &error) ? fail(&error)
	                                                                                              : 0;
}

static int resume(struct misc *misc, struct storage *storage)
{
	struct error error;
	bool armed;

	if (misc_resume(misc, storage, COMMAND_PATH, &armed, &error))
		return fail(&error);
	if (armed)
		printf("armed again: reboot\n");
	return armed ? EXIT_ARMED : 0;
}

static int run(struct misc *misc, struct storage *storage, int argc, char *const argv[])
{
	struct error error;

	if (strcmp(argv[0], "show") == 0)
		return show(misc);
	if (storage_mount_for(storage, COMMAND_PATH, &error) < 0)
		(void)fprintf(stderr, "miscctl: %s\n", error.message); /* misc may do without it */
	if (strcmp(argv[0], "arm") == 0)
		return arm(misc, storage, argv + 1, argc - 1);
	if (strcmp(argv[0], "clear") == 0)
		return misc_withdraw(misc, storage, COMMAND_PATH, &error) ? fail(&error) : 0;
	return resume(misc, storage);
}

static bool is_command(int argc, char *const argv[])
{
	if (argc < 1)
		return false;
	if (strcmp(argv[0], "arm") == 0)
		return true;
	return argc == 1 &&
	       (strcmp(argv[0], "show") == 0 || strcmp(argv[0], "clear") == 0 || strcmp(argv[0], "resume") == 0);
}

static int open_and_run(const struct options *options, int argc, char *const argv[])
{
	struct log log = log_to_stderr();
	struct storage *storage;
	struct misc *misc;
	struct error error;
	int status;

	if (storage_open_linux(options->root, options->fstab, &log, &storage, &error))
		return fail(&error);
	if (misc_open(storage, options->partition, &misc, &error)) {
		status = fail(&error);
	} else {
		status = run(misc, storage, argc, argv);
		misc_close(misc);
	}
	storage_close(storage);
	return status;
}

int main(int argc, char *argv[])
{
	static const struct option known[] = {
		{"root", required_argument, NULL, 'r'},      {"fstab", required_argument, NULL, 'f'},
		{"partition", required_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},         {NULL, 0, NULL, 0},
	};
	struct options options = {.partition = "misc"};
	int option;

	/* '+': the first word that is no option is the command, and what follows it is not ours to read. */
	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		switch (option) {
		case 'r':
			options.root = optarg;
			break;
		case 'f':
			options.fstab = optarg;
			break;
		case 'p':
			options.partition = optarg;
			break;
		case 'h':
			(void)fputs(usage, stdout);
			return 0;
		case 'v':
			(void)puts("miscctl " FOTA_VERSION);
			return 0;
		default:
			(void)fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (!is_command(argc - optind, argv + optind)) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return open_and_run(&options, argc - optind, argv + optind);
}
