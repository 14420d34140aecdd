/* SPDX-License-Identifier: Apache-2.0 */
/* The edify command: look at updater-scripts on a host. */
#include "updater/updater.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

static const char usage[] =
	"usage: edify check FILE    all errors of an updater-script as FILE:LINE:COLUMN: MESSAGE; \"-\" is standard "
	"input\n"
	"   or  edify eval EXPR     the value of an expression; only the builtin functions are known\n"
	"   or  edify functions     the functions an updater-script may call, with the number of their arguments\n"
	"Exit status: 0 fine, 1 errors or abort, 2 usage.\n";

/* One byte more than the parser takes, so that it can say that the text is too long. */
static char *read_script(FILE *file, size_t *length)
{
	char *text = malloc(SCRIPT_MAX_LENGTH + 1);

	if (!text)
		return NULL;
	*length = fread(text, 1, SCRIPT_MAX_LENGTH + 1, file);
	if (ferror(file)) {
		free(text);
		return NULL;
	}
	return text;
}

static void print_finding(void *ctx, const struct script_finding *finding)
{
	fprintf(stderr, "%s:%u:%u: %s\n", (const char *)ctx, finding->line, finding->column, finding->message);
}

static int check(const char *path)
{
	struct script_functions functions = updater_functions();
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "rb");
	struct script *script = NULL;
	struct error error;
	char *text = NULL;
	size_t length;
	int err = -EIO;

	if (file)
		text = read_script(file, &length);
	if (text)
		err = script_parse(text, length, &functions, print_finding, (void *)path, &script, &error);
	else
		fprintf(stderr, "edify: %s: %s\n", path, strerror(errno));
	if (err == -ENOMEM)
		fprintf(stderr, "edify: %s: %s\n", path, error.message);
	script_free(script);
	free(text);
	if (file && !standard)
		(void)fclose(file); /* only read */
	return err < 0 ? EXIT_FAILED : EXIT_OK;
}

static void print_output(void *ctx, const char *text)
{
	fputs(text, ctx);
}

static void wait_seconds(void *ctx, unsigned seconds)
{
	(void)ctx;
	while (seconds > 0)
		seconds = sleep(seconds);
}

static int eval(const char *expression)
{
	struct script_environment environment = {.ctx = stdout, .output = print_output, .sleep = wait_seconds};
	struct script_functions none = {0};
	struct script_value value = {0};
	struct script *script = NULL;
	struct error error;
	int result = EXIT_FAILED;

	if (script_parse(expression, strlen(expression), &none, print_finding, (void *)"EXPR", &script, &error) < 0)
		return EXIT_FAILED;
	if (script_run(script, &environment, &value, NULL, &error) < 0) {
		fprintf(stderr, "edify: %s\n", error.message);
	} else {
		puts(value.text);
		result = EXIT_OK;
	}
	script_value_clear(&value);
	script_free(script);
	return result;
}

static void print_functions(const struct script_functions *functions)
{
	static const char *const parities[] = {
		[SCRIPT_ANY_COUNT] = "", [SCRIPT_EVEN_COUNT] = ", even", [SCRIPT_ODD_COUNT] = ", odd"};

	for (size_t i = 0; i < functions->count; i++) {
		const struct script_function *function = &functions->list[i];

		printf("%s (%d", function->name, function->min_arguments);
		if (function->max_arguments == SCRIPT_NO_LIMIT)
			printf(" or more");
		else if (function->max_arguments != function->min_arguments)
			printf(" to %d", function->max_arguments);
		printf("%s)\n", parities[function->parity]);
	}
}

int main(int argc, char **argv)
{
	struct script_functions builtins = script_builtins();
	struct script_functions functions = updater_functions();

	if (argc == 3 && strcmp(argv[1], "check") == 0)
		return check(argv[2]);
	if (argc == 3 && strcmp(argv[1], "eval") == 0)
		return eval(argv[2]);
	if (argc == 2 && strcmp(argv[1], "functions") == 0) {
		print_functions(&builtins);
		print_functions(&functions);
		return EXIT_OK;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	fputs(usage, stderr);
	return EXIT_USAGE;
}
