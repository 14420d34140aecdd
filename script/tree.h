/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCRIPT_TREE_H
#define SCRIPT_TREE_H

/* The syntax tree and the memory it lives in. Private to script/. */
#include "script/script.h"

/* Memory that is given back all at once. Zeroed is empty. */
struct arena {
	struct arena_chunk *chunks; /* the newest first */
	size_t left;                /* bytes free in the newest */
};

void *arena_alloc(struct arena *arena, size_t size); /* zeroed and aligned for any type; NULL: out of memory */
void arena_free(struct arena *arena);

/*
 * Chains of one operator are one node with many children, so that neither parser nor evaluation nor anything else
 * recurses along the length of a script, only into its nesting.
 */
enum node_kind {
	NODE_TEXT,
	NODE_SEQUENCE, /* a ; b ; c */
	NODE_OR,
	NODE_AND,
	NODE_EQUALITY, /* a == b != c, from the left */
	NODE_SUM,      /* a + b + c */
	NODE_NOT,      /* a run of "!" */
	NODE_CALL,     /* "if" as well: it is a call of ifelse() */
};

struct node {
	enum node_kind kind;
	bool odd;                               /* NODE_NOT: the number of "!" */
	bool unequal;                           /* a child of NODE_EQUALITY: "!=" stands before it */
	int count;                              /* of children */
	unsigned start, end;                    /* source text, as offsets; parentheses belong to what they enclose */
	unsigned at;                            /* where an abort of this node is placed: for a call its name */
	struct node *next;                      /* sibling */
	struct node *first;                     /* child */
	const char *text;                       /* NODE_TEXT */
	const struct script_function *function; /* NODE_CALL */
};

struct script {
	struct arena arena; /* everything below */
	const char *text;
	struct node *root;
};

/* Move a place that belongs to offset `from` on to offset `to`. The first byte of a text is at 1:1. */
void place_advance(struct script_place *place, const char *text, unsigned from, unsigned to);

/* The function of that name, a builtin or one of the list; NULL: there is none. */
const struct script_function *function_find(const struct script_functions *functions, const char *name);

/* "NAME() expects ...", into message, if the function does not take that many arguments. Returns whether it does. */
bool function_takes(const struct script_function *function, int count, char *message, size_t size);

#endif
