/* SPDX-License-Identifier: Apache-2.0 */
#include "script/tree.h"

#include <stdio.h>
#include <string.h>

static const struct script_function *find_in(const struct script_functions *functions, const char *name)
{
	for (size_t i = 0; i < functions->count; i++) {
		if (strcmp(functions->list[i].name, name) == 0)
			return &functions->list[i];
	}
	return NULL;
}

const struct script_function *function_find(const struct script_functions *functions, const char *name)
{
	const struct script_functions builtins = script_builtins();
	const struct script_function *function = find_in(&builtins, name);

	return function || !functions ? function : find_in(functions, name);
}

/* The words for a function's counts, "2 arguments" or "at least 1 argument". */
static void describe_counts(const struct script_function *function, char *words, size_t size)
{
	const int min = function->min_arguments, max = function->max_arguments;

	if (min == max)
		(void)snprintf(words, size, "%d argument%s", min, min == 1 ? "" : "s");
	else if (max == SCRIPT_NO_LIMIT)
		(void)snprintf(words, size, "at least %d argument%s", min, min == 1 ? "" : "s");
	else
		(void)snprintf(words, size, "%d to %d arguments", min, max);
}

bool function_takes(const struct script_function *function, int count, char *message, size_t size)
{
	char words[64];

	if (count < function->min_arguments ||
	    (function->max_arguments != SCRIPT_NO_LIMIT && count > function->max_arguments)) {
		describe_counts(function, words, sizeof(words));
		(void)snprintf(message, size, "%s() expects %s, got %d", function->name, words, count);
		return false;
	}
	if (function->parity != SCRIPT_ANY_COUNT && (count % 2 == 0) != (function->parity == SCRIPT_EVEN_COUNT)) {
		(void)snprintf(message, size, "%s() expects an %s number of arguments, got %d", function->name,
		               function->parity == SCRIPT_EVEN_COUNT ? "even" : "odd", count);
		return false;
	}
	return true;
}
