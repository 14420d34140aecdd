/* SPDX-License-Identifier: Apache-2.0 */
#include "script/run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void place_advance(struct script_place *place, const char *text, unsigned from, unsigned to)
{
	for (; from < to; from++) {
		if (text[from] == '\n') {
			place->line++;
			place->column = 1;
		} else {
			place->column++;
		}
	}
}

/* An error's message is one line, whatever a script puts into it. */
__attribute__((format(printf, 3, 0))) static void error_format(struct error *error, int code, const char *format,
                                                               va_list args)
{
	error->code = code;
	(void)vsnprintf(error->message, sizeof(error->message), format, args);
	for (char *c = error->message; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
}

/* The first abort counts: what follows it is its consequence. */
__attribute__((format(printf, 4, 0))) static void record_abort(struct script_run *run, unsigned at, int code,
                                                               const char *format, va_list args)
{
	if (run->aborted)
		return;
	run->aborted = true;
	run->at = at;
	error_format(&run->error, code, format, args);
}

int run_abort(struct script_run *run, unsigned at, int code, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	record_abort(run, at, code, format, args);
	va_end(args);
	return -err;
}

int script_abort(struct script_call *call, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	record_abort(call->run, call->node->at, code, format, args);
	va_end(args);
	return -ECANCELED;
}

int script_soft_failure(struct script_call *call, struct script_value *result, const char *text, int code,
                        const char *format, ...)
{
	struct script_failure *failure = malloc(sizeof(*failure));
	va_list args;

	*result = (struct script_value){0};
	if (!failure || script_result_text(result, text) < 0) {
		free(failure);
		return -ENOMEM;
	}
	failure->at = call->node->at;
	va_start(args, format);
	error_format(&failure->error, code, format, args);
	va_end(args);
	result->failure = failure;
	return 0;
}

/* End a value that nobody looked at. */
static int discard(struct script_run *run, struct script_value *value)
{
	int rc = 0;

	if (value->failure)
		rc = run_abort(run, value->failure->at, value->failure->error.code, ECANCELED, "%s",
		               value->failure->error.message);
	script_value_clear(value);
	return rc;
}

/* The operators look at text only. */
static int evaluate_text(struct script_run *run, const struct node *node, const char *symbol,
                         struct script_value *value)
{
	int rc = run_evaluate(run, node, value);

	if (rc < 0 || value->type == SCRIPT_TEXT)
		return rc;
	return run_abort(run, node->at, 0, ECANCELED, "%s: expecting text, an operand is a blob", symbol);
}

static int evaluate_sequence(struct script_run *run, const struct node *node, struct script_value *value)
{
	const struct node *child = node->first;
	int rc = run_evaluate(run, child, value);

	while (rc == 0 && child->next) {
		child = child->next;
		rc = discard(run, value);
		if (rc == 0)
			rc = run_evaluate(run, child, value);
	}
	return rc;
}

static bool is_abort(const struct node *node)
{
	return node->kind == NODE_CALL && strcmp(node->function->name, "abort") == 0;
}

/* Of && the first false operand, of || the first true one; else the last, which alone may be a blob. */
static int evaluate_logic(struct script_run *run, const struct node *node, struct script_value *value)
{
	const bool last_wanted = node->kind == NODE_OR;
	const char *symbol = node->kind == NODE_OR ? "||" : "&&";
	const struct node *child;

	for (child = node->first; child->next; child = child->next) {
		int rc;

		if (last_wanted && !is_abort(child->next))
			run->tried = child;
		rc = evaluate_text(run, child, symbol, value);
		if (rc < 0 || value_is_true(value) == last_wanted)
			return rc;
		script_value_clear(value);
	}
	return run_evaluate(run, child, value);
}

static const char *equality_symbol(const struct node *right)
{
	return right->unequal ? "!=" : "==";
}

static int evaluate_equality(struct script_run *run, const struct node *node, struct script_value *value)
{
	const struct node *child = node->first;
	int rc = evaluate_text(run, child, equality_symbol(child->next), value);

	for (child = child->next; rc == 0 && child; child = child->next) {
		struct script_value right;

		rc = evaluate_text(run, child, equality_symbol(child), &right);
		if (rc == 0) {
			bool equal = strcmp(value->text, right.text) == 0;

			script_value_clear(value);
			rc = value_set_truth(value, equal != child->unequal);
		}
		script_value_clear(&right);
	}
	return rc;
}

static int evaluate_sum(struct script_run *run, const struct node *node, struct script_value *value)
{
	struct text_buffer sum = {0};
	int rc = 0;

	for (const struct node *child = node->first; rc == 0 && child; child = child->next) {
		rc = evaluate_text(run, child, "+", value);
		if (rc == 0)
			rc = text_append(&sum, value->text);
		script_value_clear(value);
	}
	if (rc == 0)
		return script_result_take(value, sum.text);
	free(sum.text);
	return rc;
}

static int evaluate_not(struct script_run *run, const struct node *node, struct script_value *value)
{
	int rc = evaluate_text(run, node->first, "!", value);

	if (rc == 0) {
		bool truth = value_is_true(value) != node->odd;

		script_value_clear(value);
		rc = value_set_truth(value, truth);
	}
	return rc;
}

static int evaluate_call(struct script_run *run, const struct node *node, struct script_value *value)
{
	struct script_call call = {.run = run, .node = node, .tried = run->tried == node, .argument = node->first};
	const char *name = node->function->name;
	int rc = node->function->run(&call, value);

	if (rc < 0)
		return run_abort(run, node->at, 0, -rc, "%s(): %s", name, strerror(-rc));
	if (run->aborted) /* and the function did not care */
		return -ECANCELED;
	if (value->type == SCRIPT_TEXT ? !value->text : !value->blob)
		return run_abort(run, node->at, 0, ECANCELED, "%s(): no result", name);
	return 0;
}

static int evaluate(struct script_run *run, const struct node *node, struct script_value *value)
{
	switch (node->kind) {
	case NODE_TEXT:
		return script_result_text(value, node->text);
	case NODE_SEQUENCE:
		return evaluate_sequence(run, node, value);
	case NODE_OR:
	case NODE_AND:
		return evaluate_logic(run, node, value);
	case NODE_EQUALITY:
		return evaluate_equality(run, node, value);
	case NODE_SUM:
		return evaluate_sum(run, node, value);
	case NODE_NOT:
		return evaluate_not(run, node, value);
	case NODE_CALL:
		return evaluate_call(run, node, value);
	}
	return -EINVAL;
}

int run_evaluate(struct script_run *run, const struct node *node, struct script_value *value)
{
	int rc;

	*value = (struct script_value){0};
	rc = evaluate(run, node, value);
	if (rc < 0) {
		script_value_clear(value);
		(void)run_abort(run, node->at, 0, -rc, "%s", strerror(-rc)); /* out of memory, told nowhere else */
	}
	return rc;
}

int script_run(const struct script *script, const struct script_environment *environment, struct script_value *result,
               struct script_place *where, struct error *error)
{
	struct script_run run = {.script = script, .environment = environment};
	int rc = run_evaluate(&run, script->root, result);

	if (rc == 0 && result->failure)
		rc = discard(&run, result);
	if (rc == 0)
		return 0;
	if (where) {
		*where = (struct script_place){1, 1};
		place_advance(where, script->text, 0, run.at);
	}
	return error_set(error, run.error.code, -rc, "%s", run.error.message);
}
