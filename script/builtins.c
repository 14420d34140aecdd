/* SPDX-License-Identifier: Apache-2.0 */
#include "script/run.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int run_ifelse(struct script_call *call, struct script_value *result)
{
	int rc = call_evaluate(call, 0, result);
	bool truth;

	if (rc < 0)
		return rc;
	if (result->type != SCRIPT_TEXT)
		return script_abort(call, 0, "%s(): expecting text, argument 1 is a blob", script_call_name(call));
	truth = value_is_true(result);
	if (!truth && script_argument_count(call) == 2)
		return 0;
	script_value_clear(result);
	return call_evaluate(call, truth ? 1 : 2, result);
}

static int run_abort_builtin(struct script_call *call, struct script_value *result)
{
	char *message = NULL;
	int rc = 0;

	(void)result; /* there is none */
	if (script_argument_count(call) > 0)
		rc = script_argument_text(call, 0, &message);
	if (rc == 0)
		rc = script_abort(call, 0, "%s", message ? message : "called abort()");
	free(message);
	return rc;
}

static int run_assert(struct script_call *call, struct script_value *result)
{
	for (int i = 0; i < script_argument_count(call); i++) {
		bool truth = false;
		size_t length;
		char *text;
		int rc = script_argument_text(call, i, &text);

		if (rc < 0)
			return rc;
		truth = text[0] != '\0';
		free(text);
		if (!truth) {
			const char *source = script_argument_source(call, i, &length);

			return script_abort(call, 0, "assert failed: %.*s", (int)length, source);
		}
	}
	return script_result_text(result, "");
}

/* All arguments, joined. */
static int run_concat(struct script_call *call, struct script_value *result)
{
	struct text_buffer joined = {0};
	int rc = text_append(&joined, "");

	for (int i = 0; rc == 0 && i < script_argument_count(call); i++) {
		char *text;

		rc = script_argument_text(call, i, &text);
		if (rc == 0)
			rc = text_append(&joined, text);
		free(text);
	}
	if (rc == 0)
		return script_result_take(result, joined.text);
	free(joined.text);
	return rc;
}

static int run_is_substring(struct script_call *call, struct script_value *result)
{
	char *needle = NULL, *hay = NULL;
	int rc = script_argument_text(call, 0, &needle);

	if (rc == 0)
		rc = script_argument_text(call, 1, &hay);
	if (rc == 0)
		rc = value_set_truth(result, strstr(hay, needle) != NULL);
	free(needle);
	free(hay);
	return rc;
}

static int run_stdout(struct script_call *call, struct script_value *result)
{
	const struct script_environment *environment = call->run->environment;
	int rc = run_concat(call, result);

	if (rc < 0)
		return rc;
	if (environment->output)
		environment->output(environment->ctx, result->text);
	script_value_clear(result);
	return script_result_text(result, "");
}

static int run_sleep(struct script_call *call, struct script_value *result)
{
	const struct script_environment *environment = call->run->environment;
	long long seconds;
	char *text;
	int rc = script_argument_text(call, 0, &text);

	if (rc < 0)
		return rc;
	seconds = strtoll(text, NULL, 10); /* like atoi: what is no number is 0 */
	if (seconds > UINT_MAX)
		seconds = UINT_MAX;
	if (environment->sleep && seconds > 0)
		environment->sleep(environment->ctx, (unsigned)seconds);
	return script_result_take(result, text);
}

/* A whole number, blanks before it allowed. 64 bits on every machine: dates in seconds outgrow 32. */
static bool read_int(const char *text, long long *number)
{
	char *end;

	*number = strtoll(text, &end, 10);
	return text[0] != '\0' && *end == '\0';
}

/* Whether argument low is less than argument high. What is no number compares as false, silently, as it always did. */
static int compare_ints(struct script_call *call, struct script_value *result, bool swapped)
{
	long long left_number, right_number;
	char *left = NULL, *right = NULL;
	int rc = script_argument_text(call, 0, &left);
	bool truth = false;

	if (rc == 0)
		rc = script_argument_text(call, 1, &right);
	if (rc == 0) {
		if (read_int(left, &left_number) && read_int(right, &right_number))
			truth = swapped ? left_number > right_number : left_number < right_number;
		rc = value_set_truth(result, truth);
	}
	free(left);
	free(right);
	return rc;
}

static int run_less_than_int(struct script_call *call, struct script_value *result)
{
	return compare_ints(call, result, false);
}

static int run_greater_than_int(struct script_call *call, struct script_value *result)
{
	return compare_ints(call, result, true);
}

struct script_functions script_builtins(void)
{
	static const struct script_function list[] = {
		{"ifelse", 2, 3, SCRIPT_ANY_COUNT, run_ifelse},
		{"abort", 0, 1, SCRIPT_ANY_COUNT, run_abort_builtin},
		{"assert", 0, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_assert},
		{"concat", 0, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_concat},
		{"is_substring", 2, 2, SCRIPT_ANY_COUNT, run_is_substring},
		{"stdout", 0, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_stdout},
		{"sleep", 1, 1, SCRIPT_ANY_COUNT, run_sleep},
		{"less_than_int", 2, 2, SCRIPT_ANY_COUNT, run_less_than_int},
		{"greater_than_int", 2, 2, SCRIPT_ANY_COUNT, run_greater_than_int},
	};

	return (struct script_functions){list, sizeof(list) / sizeof(list[0])};
}
