/* SPDX-License-Identifier: Apache-2.0 */
#include "script/script.h"

#include <stdint.h>
#include <stdlib.h>

/* Any bytes: findings in order, or a script that runs to a value or an abort, without a leak. */

static int run_soft(struct script_call *call, struct script_value *result)
{
	return script_soft_failure(call, result, "", 1, "soft");
}

static void release_blob(struct script_blob *blob)
{
	free(blob);
}

static int run_blob(struct script_call *call, struct script_value *result)
{
	struct script_blob *blob = malloc(sizeof(*blob));

	if (!blob)
		return script_abort(call, 1, "out of memory");
	blob->release = release_blob;
	return script_result_blob(result, blob);
}

/* Takes any arguments, from the last to the first, and is their first. */
static int run_any(struct script_call *call, struct script_value *result)
{
	for (int i = script_argument_count(call) - 1; i >= 0; i--) {
		size_t length;
		int rc;

		script_value_clear(result);
		rc = script_argument(call, i, result);
		if (rc < 0)
			return rc;
		if (!script_argument_source(call, i, &length))
			abort();
	}
	return result->type == SCRIPT_TEXT && !result->text ? script_result_text(result, "") : 0;
}

static void check_order(void *ctx, const struct script_finding *finding)
{
	struct script_place *last = ctx;

	if (finding->line < last->line || (finding->line == last->line && finding->column < last->column))
		abort();
	*last = (struct script_place){finding->line, finding->column};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct script_function list[] = {
		{"s", 0, SCRIPT_NO_LIMIT, SCRIPT_ANY_COUNT, run_soft},
		{"b", 0, SCRIPT_NO_LIMIT, SCRIPT_EVEN_COUNT, run_blob},
		{"f", 0, 40, SCRIPT_ANY_COUNT, run_any},
	};
	const struct script_functions functions = {list, sizeof(list) / sizeof(list[0])};
	const struct script_environment environment = {0};
	struct script_place last = {0}, where;
	struct script_value value;
	struct error error;
	struct script *script;
	int rc = script_parse((const char *)data, size, &functions, check_order, &last, &script, &error);

	if ((rc == 0) != (last.line == 0) || (rc == 0) != (script != NULL))
		abort();
	if (rc < 0)
		return 0;
	if (script_run(script, &environment, &value, &where, &error) == 0) {
		if (value.failure)
			abort();
		script_value_clear(&value);
	}
	script_free(script);
	return 0;
}
