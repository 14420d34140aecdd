/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/script/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counted_blob {
	struct script_blob blob;
	int *alive;
};

static void append(char *buffer, size_t size, const char *text)
{
	size_t used = strlen(buffer);

	(void)snprintf(buffer + used, size - used, "%s", text); /* what does not fit nobody compares */
}

static int run_soft(struct script_call *call, struct script_value *result)
{
	char *text = NULL, *message = NULL;
	int rc = 0;

	if (script_argument_count(call) > 0)
		rc = script_argument_text(call, 0, &text);
	if (rc == 0 && script_argument_count(call) > 1)
		rc = script_argument_text(call, 1, &message);
	if (rc == 0)
		rc = script_soft_failure(call, result, text ? text : "", SOFT_CODE, "%s",
		                         message ? message : "soft failed");
	free(text);
	free(message);
	return rc;
}

static int run_trace(struct script_call *call, struct script_value *result)
{
	struct outcome *outcome = script_context(call);

	for (int i = 0; i < script_argument_count(call); i++) {
		char *text;
		int rc = script_argument_text(call, i, &text);

		if (rc < 0)
			return rc;
		append(outcome->trace, sizeof(outcome->trace), text);
		script_value_clear(result);
		rc = script_result_take(result, text);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void release_blob(struct script_blob *blob)
{
	struct counted_blob *counted = (struct counted_blob *)(void *)blob;

	--*counted->alive;
	free(counted);
}

static int run_blob(struct script_call *call, struct script_value *result)
{
	struct outcome *outcome = script_context(call);
	struct counted_blob *counted = malloc(sizeof(*counted));

	if (!counted)
		return -ENOMEM;
	*counted = (struct counted_blob){{release_blob}, &outcome->blobs};
	outcome->blobs++;
	return script_result_blob(result, &counted->blob);
}

static int run_kind(struct script_call *call, struct script_value *result)
{
	struct script_value value;
	int rc = script_argument(call, 0, &value);

	if (rc == 0)
		rc = script_result_text(result, value.type == SCRIPT_BLOB ? "blob" : "text");
	script_value_clear(&value);
	return rc;
}

static int run_fail(struct script_call *call, struct script_value *result)
{
	(void)result;
	return script_abort(call, FAIL_CODE, "%s: no reason", script_call_name(call));
}

static int run_messy(struct script_call *call, struct script_value *result)
{
	int rc = run_blob(call, result);

	if (rc == 0)
		result->text = strdup("left behind");
	return rc < 0 ? rc : script_abort(call, FAIL_CODE, "first\nline");
}

static int run_deaf(struct script_call *call, struct script_value *result)
{
	struct script_value value;

	(void)script_argument(call, 0, &value); /* that is the point */
	script_value_clear(&value);
	return script_result_text(result, "t");
}

static int run_nothing(struct script_call *call, struct script_value *result)
{
	(void)call;
	(void)result;
	return 0;
}

static int run_broken(struct script_call *call, struct script_value *result)
{
	(void)call;
	(void)result;
	return -EIO;
}

static int run_late(struct script_call *call, struct script_value *result)
{
	struct script_value value;
	int rc = script_soft_failure(call, result, "", FAIL_CODE, "late failed");

	if (rc == 0)
		rc = script_argument(call, 0, &value);
	if (rc == 0)
		script_value_clear(&value);
	return rc;
}

static int run_backwards(struct script_call *call, struct script_value *result)
{
	char joined[256] = "";

	for (int i = script_argument_count(call) - 1; i >= 0; i--) {
		char *text;
		int rc = script_argument_text(call, i, &text);

		if (rc < 0)
			return rc;
		append(joined, sizeof(joined), text);
		free(text);
	}
	return script_result_text(result, joined);
}

static int run_beyond(struct script_call *call, struct script_value *result)
{
	size_t length = 1;

	ck_assert_str_eq(script_argument_source(call, 1, &length), "");
	ck_assert_uint_eq(length, 0);
	return script_argument(call, 1, result);
}

static int run_true(struct script_call *call, struct script_value *result)
{
	(void)call;
	return script_result_text(result, "t");
}

/* False when something else is tried then. */
static int run_choice(struct script_call *call, struct script_value *result)
{
	return script_result_text(result, script_call_is_tried(call) ? "" : "last");
}

struct script_functions harness_functions(void)
{
	static const struct script_function list[] = {
		{"soft", 0, 2, SCRIPT_ANY_COUNT, run_soft},
		{"trace", 1, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_trace},
		{"blob", 0, 0, SCRIPT_ANY_COUNT, run_blob},
		{"kind", 1, 1, SCRIPT_ANY_COUNT, run_kind},
		{"fail", 0, 1, SCRIPT_ANY_COUNT, run_fail},
		{"messy", 0, 0, SCRIPT_ANY_COUNT, run_messy},
		{"deaf", 1, 1, SCRIPT_ANY_COUNT, run_deaf},
		{"nothing", 0, 0, SCRIPT_ANY_COUNT, run_nothing},
		{"broken", 0, 0, SCRIPT_ANY_COUNT, run_broken},
		{"late", 1, 1, SCRIPT_ANY_COUNT, run_late},
		{"backwards", 0, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_backwards},
		{"beyond", 1, 1, SCRIPT_ANY_COUNT, run_beyond},
		{"even", 2, SCRIPT_NO_LIMIT, SCRIPT_EVEN_COUNT, run_true},
		{"odd", 3, SCRIPT_NO_LIMIT, SCRIPT_ODD_COUNT, run_true},
		{"two", 2, 2, SCRIPT_ANY_COUNT, run_true},
		{"one_or_more", 1, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_true},
		{"choice", 0, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_choice},
		{"up_to_one", 0, 1, SCRIPT_ANY_COUNT, run_true},
		/* A builtin cannot be replaced. */
		{"concat", 0, 0, SCRIPT_ANY_COUNT, run_fail},
	};

	return (struct script_functions){list, sizeof(list) / sizeof(list[0])};
}

static void note_finding(void *ctx, const struct script_finding *finding)
{
	struct outcome *outcome = ctx;
	char line[256];

	outcome->finding_count++;
	(void)snprintf(line, sizeof(line), "%u:%u: %s\n", finding->line, finding->column, finding->message);
	append(outcome->findings, sizeof(outcome->findings), line);
}

static void note_output(void *ctx, const char *text)
{
	struct outcome *outcome = ctx;

	append(outcome->output, sizeof(outcome->output), text);
}

static void note_sleep(void *ctx, unsigned seconds)
{
	struct outcome *outcome = ctx;

	outcome->slept += seconds;
}

struct outcome harness_run(const char *text, size_t length)
{
	struct outcome outcome = {.rc = 1};
	const struct script_environment environment = {&outcome, note_output, note_sleep};
	const struct script_functions functions = harness_functions();
	struct script_value value;
	struct script *script;

	outcome.parsed = script_parse(text, length, &functions, note_finding, &outcome, &script, &outcome.error);
	if (outcome.parsed < 0)
		return outcome;
	outcome.rc = script_run(script, &environment, &value, &outcome.where, &outcome.error);
	if (outcome.rc == 0) {
		outcome.marked = value.failure != NULL;
		outcome.blob = value.type == SCRIPT_BLOB;
		append(outcome.text, sizeof(outcome.text), outcome.blob ? "" : value.text);
		script_value_clear(&value);
	}
	script_free(script);
	return outcome;
}

struct outcome harness_run_text(const char *text)
{
	return harness_run(text, strlen(text));
}
