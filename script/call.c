/* SPDX-License-Identifier: Apache-2.0 */
#include "script/run.h"

void *script_context(const struct script_call *call)
{
	return call->run->environment->ctx;
}

const char *script_call_name(const struct script_call *call)
{
	return call->node->function->name;
}

bool script_call_is_tried(const struct script_call *call)
{
	return call->tried;
}

int script_argument_count(const struct script_call *call)
{
	return call->node->count;
}

/* Siblings are a list: walking on from the last argument keeps a call of many thousands linear. NULL: none has it. */
static const struct node *argument_node(struct script_call *call, int i)
{
	if (i < 0 || i >= call->node->count)
		return NULL;
	if (i < call->index) {
		call->argument = call->node->first;
		call->index = 0;
	}
	for (; call->index < i; call->index++)
		call->argument = call->argument->next;
	return call->argument;
}

int call_evaluate(struct script_call *call, int i, struct script_value *value)
{
	const struct node *node = argument_node(call, i);

	*value = (struct script_value){0};
	if (!node)
		return script_abort(call, 0, "%s(): there is no argument %d", script_call_name(call), i + 1);
	return run_evaluate(call->run, node, value);
}

int script_argument(struct script_call *call, int i, struct script_value *value)
{
	int rc = call_evaluate(call, i, value);

	value_drop_failure(value);
	return rc;
}

int script_argument_text(struct script_call *call, int i, char **text)
{
	struct script_value value;
	int rc = script_argument(call, i, &value);

	*text = NULL;
	if (rc < 0)
		return rc;
	if (value.type != SCRIPT_TEXT) {
		script_value_clear(&value);
		return script_abort(call, 0, "%s(): expecting text, argument %d is a blob", script_call_name(call),
		                    i + 1);
	}
	*text = value.text;
	return 0;
}

const char *script_argument_source(struct script_call *call, int i, size_t *length)
{
	const struct node *node = argument_node(call, i);

	*length = node ? node->end - node->start : 0;
	return node ? call->run->script->text + node->start : "";
}
