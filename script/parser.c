/* SPDX-License-Identifier: Apache-2.0 */
#include "script/parser.h"

#include <stdlib.h>
#include <string.h>

struct node_list {
	struct node *first, *last;
	int count;
};

static struct node *parse_sequence(struct parser *parser);

/* A node for the text from start to end. */
static struct node *new_node(struct parser *parser, enum node_kind kind, unsigned start, unsigned end)
{
	struct node *node = arena_alloc(parser->arena, sizeof(*node));

	if (!node)
		return parser_out_of_memory(parser);
	node->kind = kind;
	node->start = start;
	node->end = end;
	node->at = start;
	return node;
}

static void list_add(struct node_list *list, struct node *node)
{
	if (list->last)
		list->last->next = node;
	else
		list->first = node;
	list->last = node;
	list->count++;
}

static struct node *adopt(struct node *node, const struct node_list *list)
{
	node->first = list->first;
	node->count = list->count;
	return node;
}

/* The list as one node; a list of one is that one. */
static struct node *join(struct parser *parser, enum node_kind kind, const struct node_list *list)
{
	struct node *node;

	if (list->count == 1)
		return list->first;
	node = new_node(parser, kind, list->first->start, list->last->end);
	return node ? adopt(node, list) : NULL;
}

/* [ sequence { "," sequence } ], up to a ")" */
static bool parse_arguments(struct parser *parser, struct node_list *list)
{
	if (parser->token.kind == TOKEN_CLOSE)
		return true;
	for (;;) {
		struct node *argument = parse_sequence(parser);

		if (!argument)
			return false;
		list_add(list, argument);
		if (parser->token.kind != TOKEN_COMMA)
			return true;
		parser_advance(parser);
		parser->quiet = false;
	}
}

/* word "(" arguments ")", from the "(" on */
static struct node *parse_call(struct parser *parser, const struct token *word)
{
	const struct token opener = parser->token;
	const unsigned errors = parser->errors;
	struct node *call = new_node(parser, NODE_CALL, word->start, word->end);
	struct node_list list = {0};
	char message[128];

	if (!call)
		return NULL;
	call->function = parser_find_function(parser, word);
	parser_advance(parser);
	if (!parse_arguments(parser, &list) || !parser_close(parser, TOKEN_CLOSE, &opener))
		return NULL;
	call->end = parser->previous.end;
	adopt(call, &list);
	/* After an error of syntax the count would be a guess. */
	if (call->function && errors == parser->errors &&
	    !function_takes(call->function, call->count, message, sizeof(message)))
		findings_add(&parser->findings, call->at, "%s", message);
	return call;
}

/* "(" sequence ")" */
static struct node *parse_group(struct parser *parser)
{
	const struct token opener = parser->token;
	struct node *node;

	parser_advance(parser);
	node = parse_sequence(parser);
	if (!node || !parser_close(parser, TOKEN_CLOSE, &opener))
		return NULL;
	node->start = opener.start;
	node->end = parser->previous.end;
	return node;
}

/* "if" sequence "then" sequence [ "else" sequence ] "endif" */
static struct node *parse_if(struct parser *parser)
{
	static const enum token_kind heads[] = {TOKEN_IF, TOKEN_THEN, TOKEN_ELSE};
	const struct token opener = parser->token;
	struct node *call = new_node(parser, NODE_CALL, opener.start, opener.end);
	struct node_list list = {0};

	if (!call)
		return NULL;
	for (int i = 0; i < 3 && parser->token.kind == heads[i]; i++) {
		struct node *part;

		parser_advance(parser);
		parser->quiet = false;
		part = parse_sequence(parser);
		if (!part)
			return NULL;
		list_add(&list, part);
	}
	if (!parser_close(parser, list.count == 1 ? TOKEN_THEN : TOKEN_ENDIF, &opener))
		return NULL;
	call->function = function_find(NULL, "ifelse");
	call->end = parser->previous.end;
	return adopt(call, &list);
}

/* What nests: a call of word if that is not NULL, else what begins at the current token. */
static struct node *parse_nested(struct parser *parser, const struct token *word)
{
	struct node *node;

	if (parser->depth == SCRIPT_MAX_DEPTH) {
		if (parser_complain(parser))
			findings_add(&parser->findings, parser->token.start,
			             "\"%s\" is nested more than %d levels deep",
			             parser->token.kind == TOKEN_IF ? "if" : "(", SCRIPT_MAX_DEPTH);
		return NULL;
	}
	parser->depth++;
	if (word)
		node = parse_call(parser, word);
	else if (parser->token.kind == TOKEN_IF)
		node = parse_if(parser);
	else
		node = parse_group(parser);
	parser->depth--;
	return node;
}

static struct node *parse_word(struct parser *parser)
{
	const struct token word = parser->token;
	struct node *node;

	parser_advance(parser);
	if (parser->token.kind == TOKEN_OPEN)
		return parse_nested(parser, &word);
	node = new_node(parser, NODE_TEXT, word.start, word.end);
	if (!node)
		return NULL;
	node->text = lexer_word(&parser->lexer, &word, parser->arena);
	return node->text ? node : parser_out_of_memory(parser);
}

/* { "!" } ( word | call | group | if ) */
static struct node *parse_operand(struct parser *parser)
{
	const struct token first = parser->token;
	struct node *operand, *node;
	bool odd = false;

	for (; parser->token.kind == TOKEN_NOT; parser_advance(parser))
		odd = !odd;
	if (parser->token.kind == TOKEN_WORD)
		operand = parse_word(parser);
	else if (parser->token.kind == TOKEN_OPEN || parser->token.kind == TOKEN_IF)
		operand = parse_nested(parser, NULL);
	else
		operand = parser_unexpected(parser);
	if (!operand || first.kind != TOKEN_NOT)
		return operand;
	node = new_node(parser, NODE_NOT, first.start, operand->end);
	if (!node)
		return NULL;
	node->odd = odd;
	node->first = operand;
	node->count = 1;
	return node;
}

/* How tightly an operator binds, from 1; 0: the token is none. */
static int binding(enum token_kind kind)
{
	switch (kind) {
	case TOKEN_OR:
		return 1;
	case TOKEN_AND:
		return 2;
	case TOKEN_EQUAL:
	case TOKEN_UNEQUAL:
		return 3;
	case TOKEN_PLUS:
		return 4;
	default:
		return 0;
	}
}

/* Operands joined by operators that bind at least as tightly as least. */
static struct node *parse_operators(struct parser *parser, int least)
{
	static const enum node_kind kinds[] = {[1] = NODE_OR, NODE_AND, NODE_EQUALITY, NODE_SUM};
	struct node *node = parse_operand(parser);

	while (node && binding(parser->token.kind) >= least) {
		const int level = binding(parser->token.kind);
		struct node_list list = {0};

		list_add(&list, node);
		while (node && binding(parser->token.kind) == level) {
			bool unequal = parser->token.kind == TOKEN_UNEQUAL;

			parser_advance(parser);
			node = parse_operators(parser, level + 1);
			if (!node)
				return NULL;
			node->unequal = unequal;
			list_add(&list, node);
		}
		node = join(parser, kinds[level], &list);
	}
	return node;
}

/* expression { ";" [ expression ] }. NULL only when memory is out: errors end here. */
static struct node *parse_sequence(struct parser *parser)
{
	const struct token first = parser->token;
	const unsigned open = parser->open;
	struct node_list list = {0};

	do {
		struct node *node = parse_operators(parser, 1);

		if (node && parser->token.kind != TOKEN_SEMICOLON && !parser_ends_sequence(parser))
			node = parser_unexpected(parser);
		if (node)
			list_add(&list, node);
		else
			parser_skip(parser, open);
		for (; parser->token.kind == TOKEN_SEMICOLON; parser_advance(parser))
			parser->quiet = false;
	} while (!parser_ends_sequence(parser));
	if (!list.first) /* something to go on with */
		return new_node(parser, NODE_TEXT, first.start, first.end);
	return join(parser, NODE_SEQUENCE, &list);
}

/* An empty script that holds a copy of the text; NULL: out of memory. */
static struct script *new_script(const char *text, size_t length)
{
	struct script *script = calloc(1, sizeof(*script));
	char *copy;

	if (!script)
		return NULL;
	copy = arena_alloc(&script->arena, length + 1);
	if (!copy) {
		script_free(script);
		return NULL;
	}
	if (length > 0)
		memcpy(copy, text, length);
	script->text = copy;
	return script;
}

static void parse_text(struct parser *parser, struct script *script, size_t length)
{
	parser->arena = &script->arena;
	parser->lexer = lexer_start(script->text, (unsigned)length, &parser->findings);
	parser_advance(parser);
	if (parser->token.kind == TOKEN_END && parser->findings.count == 0)
		findings_add(&parser->findings, 0, "the script is empty");
	else if (parser->token.kind != TOKEN_END)
		script->root = parse_sequence(parser);
}

int script_parse(const char *text, size_t length, const struct script_functions *functions,
                 void (*report)(void *ctx, const struct script_finding *finding), void *ctx, struct script **script,
                 struct error *error)
{
	struct parser parser = {.functions = functions};
	struct script *parsed = NULL;
	int rc;

	*script = NULL;
	if (length > SCRIPT_MAX_LENGTH) {
		findings_add(&parser.findings, 0, "the script is longer than %d bytes", SCRIPT_MAX_LENGTH);
	} else {
		parsed = new_script(text, length);
		if (parsed)
			parse_text(&parser, parsed, length);
		else
			parser.findings.no_memory = true;
	}
	rc = findings_tell(&parser.findings, text, report, ctx, error);
	if (rc < 0)
		script_free(parsed);
	else
		*script = parsed;
	return rc;
}

void script_free(struct script *script)
{
	if (!script)
		return;
	arena_free(&script->arena);
	free(script);
}
