/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCRIPT_LEXER_H
#define SCRIPT_LEXER_H

/* Bytes to tokens. Private to script/. */
#include "script/findings.h"
#include "script/tree.h"

enum token_kind {
	TOKEN_END,
	TOKEN_BAD,  /* no token of the language; the lexer has told why */
	TOKEN_WORD, /* bare or quoted */
	TOKEN_IF,
	TOKEN_THEN,
	TOKEN_ELSE,
	TOKEN_ENDIF,
	TOKEN_OR,
	TOKEN_AND,
	TOKEN_EQUAL,
	TOKEN_UNEQUAL,
	TOKEN_PLUS,
	TOKEN_NOT,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_SEMICOLON,
};

struct token {
	enum token_kind kind;
	unsigned start, end; /* offsets */
};

struct lexer {
	const char *text;
	unsigned length;
	unsigned at;
	struct findings *findings;
};

/* Starts at the first byte. A NUL anywhere in the text is told here, once; after that it counts as a blank. */
struct lexer lexer_start(const char *text, unsigned length, struct findings *findings);

/* After the last token, TOKEN_END as often as asked. */
struct token lexer_next(struct lexer *lexer);

/* What a TOKEN_WORD stands for, its escapes resolved; in the arena. NULL: out of memory. */
const char *lexer_word(const struct lexer *lexer, const struct token *token, struct arena *arena);

#endif
