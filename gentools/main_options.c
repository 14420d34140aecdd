/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/main_options.h"

#include "gentools/gentools.h"
#include "gentools/main_settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_MAX 1024

/* What getopt_long() returns for the option of this number, and behind all of them for --help. */
#define FIRST_OPTION 256

static int take(const struct main_option *option)
{
	if (option->flag)
		*option->flag = true;
	else if (option->text)
		*option->text = optarg;
	else
		return option->take(option->ctx, option->name, optarg);
	return MAIN_GO_ON;
}

/* The number of the option that getopt_long() found; count for --help and above for what is none. */
static size_t number_of(int found, const struct main_option *options, size_t count)
{
	if (found >= FIRST_OPTION)
		return (size_t)(found - FIRST_OPTION);
	for (size_t i = 0; i < count; i++)
		if (found == options[i].letter)
			return i;
	return count + 1;
}

int main_parse_options(int argc, char **argv, const char *usage, const struct main_option *options, size_t count)
{
	struct option *known = calloc(count + 2, sizeof(*known));
	char *letters = calloc(2 * count + 1, 1);
	char *end = letters;
	int status = MAIN_GO_ON;
	int found;

	if (!known || !letters) {
		perror(program_invocation_short_name);
		status = EXIT_FAILURE;
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		known[i] = (struct option){.name = options[i].name,
		                           .has_arg = options[i].flag ? no_argument : required_argument,
		                           .val = FIRST_OPTION + (int)i};
		if (!options[i].letter)
			continue;
		*end++ = options[i].letter;
		*end++ = ':';
	}
	known[count] = (struct option){.name = "help", .has_arg = no_argument, .val = FIRST_OPTION + (int)count};
	while (status == MAIN_GO_ON && (found = getopt_long(argc, argv, letters, known, NULL)) != -1) {
		size_t number = number_of(found, options, count);

		if (number < count)
			status = take(&options[number]);
		else if (number == count)
			status = fputs(usage, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
		else
			status = EXIT_USAGE; /* getopt_long() said why */
	}
out:
	free(letters);
	free(known);
	return status;
}

static int no_value(const char *name, const char *value, const char *why)
{
	(void)fprintf(stderr, "%s: --%s %s: %s\n", program_invocation_short_name, name, value, why);
	return EXIT_USAGE;
}

int main_take_jobs(void *jobs, const char *name, const char *value)
{
	unsigned long long number;

	if (main_parse_number(value, JOBS_MAX, &number) && number > 0) {
		*(unsigned *)jobs = (unsigned)number;
		return MAIN_GO_ON;
	}
	(void)fprintf(stderr, "%s: --%s %s: not a number from 1 to %d\n", program_invocation_short_name, name, value,
	              JOBS_MAX);
	return EXIT_USAGE;
}

int main_take_bytes(void *bytes, const char *name, const char *value)
{
	static const char units[] = "KkMmGg"; /* each 1024 times the one before */
	size_t length = strlen(value);
	const char *unit = length > 0 ? strchr(units, value[length - 1]) : NULL;
	char *digits = strndup(value, unit ? length - 1 : length);
	unsigned long long number;
	bool good = digits && main_parse_number(digits, UINT32_MAX, &number) && number > 0;

	free(digits);
	if (!good)
		return no_value(name, value, "not a number of bytes");
	*(uint64_t *)bytes = unit ? number << 10 * (1 + (unit - units) / 2) : number;
	return MAIN_GO_ON;
}

int main_take_unit(void *bytes, const char *name, const char *value)
{
	uint64_t number;
	int status = main_take_bytes(&number, name, value);

	if (status != MAIN_GO_ON)
		return status;
	if (number < GEN_UNIT_MIN || number > GEN_UNIT_MAX)
		return no_value(name, value, "no size of a LEB or erase block");
	*(uint32_t *)bytes = (uint32_t)number;
	return MAIN_GO_ON;
}

int main_take_compat(void *native, const char *name, const char *value)
{
	bool is_native = strcmp(value, "native") == 0;

	if (!is_native && strcmp(value, "lineage") != 0)
		return no_value(name, value, "neither lineage nor native");
	*(bool *)native = is_native;
	return MAIN_GO_ON;
}

int main_end(const char *command, int err, const struct error *error)
{
	if (err < 0) {
		(void)fprintf(stderr, "%s: %s\n", command, error->message);
		return err == -EILSEQ || err == -ECANCELED ? EXIT_NOT_PROVED : EXIT_FAILURE;
	}
	/* Lines of the log are flushed one by one: what failed then only the mark tells. */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "%s: standard output: cannot be written\n", command);
	return EXIT_FAILURE;
}
