/* SPDX-License-Identifier: Apache-2.0 */
#include "script/parser.h"

#include <string.h>

void parser_advance(struct parser *parser)
{
	if (parser->token.kind == TOKEN_OPEN || parser->token.kind == TOKEN_IF)
		parser->open++;
	if ((parser->token.kind == TOKEN_CLOSE || parser->token.kind == TOKEN_ENDIF) && parser->open > 0)
		parser->open--;
	parser->previous = parser->token;
	parser->token = lexer_next(&parser->lexer);
	if (parser->findings.stop)
		parser->token.kind = TOKEN_END;
}

bool parser_complain(struct parser *parser)
{
	bool tell = !parser->quiet && parser->token.kind != TOKEN_BAD; /* of a bad one the lexer has told */

	parser->quiet = true;
	parser->errors++;
	return tell;
}

struct node *parser_unexpected(struct parser *parser)
{
	const struct token *token = &parser->token;
	const char *text = parser->lexer.text + token->start;
	char quote[QUOTE_SIZE];

	if (!parser_complain(parser))
		return NULL;
	finding_quote(quote, text, token->end - token->start);
	if (token->kind == TOKEN_END)
		findings_add(&parser->findings, token->start, "unexpected end of the script");
	else if (text[0] == '"')
		findings_add(&parser->findings, token->start, "unexpected string %s", quote);
	else
		findings_add(&parser->findings, token->start, "unexpected \"%s\"", quote);
	return NULL;
}

void *parser_out_of_memory(struct parser *parser)
{
	parser->findings.no_memory = true;
	parser->findings.stop = true;
	parser->token.kind = TOKEN_END;
	return NULL;
}

bool parser_close(struct parser *parser, enum token_kind kind, const struct token *opener)
{
	struct script_place place = {1, 1};

	if (parser->token.kind == kind) {
		parser_advance(parser);
		parser->quiet = false;
		return true;
	}
	if (parser->token.kind != TOKEN_END) {
		parser_unexpected(parser);
	} else if (parser_complain(parser)) {
		place_advance(&place, parser->lexer.text, 0, opener->start);
		findings_add(&parser->findings, parser->token.start,
		             "unexpected end of the script, the \"%s\" at %u:%u is not closed",
		             opener->kind == TOKEN_IF ? "if" : "(", place.line, place.column);
	}
	return false;
}

bool parser_ends_sequence(const struct parser *parser)
{
	switch (parser->token.kind) {
	case TOKEN_END:
		return true;
	case TOKEN_CLOSE:
	case TOKEN_COMMA:
	case TOKEN_THEN:
	case TOKEN_ELSE:
	case TOKEN_ENDIF:
		return parser->depth > 0;
	default:
		return false;
	}
}

void parser_skip(struct parser *parser, unsigned open)
{
	while (parser->token.kind != TOKEN_END) {
		if (parser->open <= open && (parser->token.kind == TOKEN_SEMICOLON || parser_ends_sequence(parser)))
			return;
		parser_advance(parser);
		/* A word before a parenthesis is a call wherever it stands. */
		if (parser->token.kind == TOKEN_OPEN && parser->previous.kind == TOKEN_WORD)
			(void)parser_find_function(parser, &parser->previous); /* only for what it tells */
	}
}

const struct script_function *parser_find_function(struct parser *parser, const struct token *word)
{
	const char *name = lexer_word(&parser->lexer, word, parser->arena);
	const struct script_function *function;
	char quote[QUOTE_SIZE];

	if (!name)
		return parser_out_of_memory(parser);
	function = function_find(parser->functions, name);
	if (!function)
		findings_add(&parser->findings, word->start, "unknown function \"%s\"",
		             finding_quote(quote, name, strlen(name)));
	return function;
}
