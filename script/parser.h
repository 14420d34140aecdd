/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCRIPT_PARSER_H
#define SCRIPT_PARSER_H

/* What the grammar stands on: the current token, errors, and going on after them. Private to script/. */
#include "script/lexer.h"

/*
 * A parse function returns NULL when it met an error, which it has told; then the nearest sequence skips to its next
 * ";" or to its end and goes on, so that one run finds all errors. The tree is thrown away in that case.
 */
struct parser {
	struct lexer lexer;
	struct findings findings;
	struct arena *arena;
	const struct script_functions *functions;
	struct token token;    /* the one to look at */
	struct token previous; /* the one before it */
	unsigned open;         /* "(" and "if" taken so far whose ")" or "endif" was not */
	int depth;             /* of calls, parentheses and ifs being parsed */
	bool quiet;            /* an error was told, and nothing was understood since */
	unsigned errors;       /* of syntax */
};

void parser_advance(struct parser *parser);

/* Starts an error at the current token. Returns whether it is to be told: one mistake is told once. */
bool parser_complain(struct parser *parser);

/* The current token cannot stand here. Returns NULL. */
struct node *parser_unexpected(struct parser *parser);

/* Memory is out: ends the parsing. Returns NULL. */
void *parser_out_of_memory(struct parser *parser);

/* Takes the token that closes what opener opened, and returns whether it was there; if not, that is told. */
bool parser_close(struct parser *parser, enum token_kind kind, const struct token *opener);

/* May a sequence be followed by this token? */
bool parser_ends_sequence(const struct parser *parser);

/* Skip to the next ";" or the end of a sequence that began when parser->open was open. */
void parser_skip(struct parser *parser, unsigned open);

/* The function that the word names; NULL, and told, if there is none. */
const struct script_function *parser_find_function(struct parser *parser, const struct token *word);

#endif
