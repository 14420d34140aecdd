/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCRIPT_RUN_H
#define SCRIPT_RUN_H

/* A script while it runs. Private to script/. */
#include "script/tree.h"

struct script_run {
	const struct script *script;
	const struct script_environment *environment;
	bool aborted; /* the two below are filled */
	unsigned at;  /* where: an offset */
	struct error error;
	const struct node *tried; /* the operand of || that is evaluated, if another one than abort() follows it */
};

struct script_call {
	struct script_run *run;
	const struct node *node;
	bool tried;                  /* it is that operand */
	const struct node *argument; /* the one asked for last: they are usually asked for in order */
	int index;                   /* of that */
};

struct script_failure {
	unsigned at;
	struct error error;
};

/* The value of a node, its mark of failure included. On failure *value is zeroed and the run is aborted. */
int run_evaluate(struct script_run *run, const struct node *node, struct script_value *value);

/* Abort at an offset, unless aborted already. Returns -err. */
int run_abort(struct script_run *run, unsigned at, int code, int err, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Argument i with its mark: for functions whose result is an argument's value. */
int call_evaluate(struct script_call *call, int i, struct script_value *value);

/* False is the empty text. The value must be text. */
bool value_is_true(const struct script_value *value);
int value_set_truth(struct script_value *value, bool truth); /* overwrites */
void value_drop_failure(struct script_value *value);

/* Text that grows. Zeroed is empty, text NULL. */
struct text_buffer {
	char *text;
	size_t length, size;
};
int text_append(struct text_buffer *buffer, const char *text);

#endif
