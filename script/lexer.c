/* SPDX-License-Identifier: Apache-2.0 */
#include "script/lexer.h"

#include "base/bytes.h"
#include <string.h>

struct lexer lexer_start(const char *text, unsigned length, struct findings *findings)
{
	const char *nul = length > 0 ? memchr(text, '\0', length) : NULL;

	if (nul)
		findings_add(findings, (unsigned)(nul - text), "NUL byte in the text");
	return (struct lexer){text, length, 0, findings};
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':' ||
	       c == '/' || c == '.';
}

static bool is_mark(char c)
{
	return strchr("\"#&|=!+(),;", c) != NULL;
}

/* The byte of the escape \xHH whose backslash is at offset at, or -1 if there is no such escape. */
static int hex_escape(const char *text, unsigned at, unsigned end)
{
	if (end - at < 4 || text[at + 1] != 'x' || hex_digit(text[at + 2]) < 0 || hex_digit(text[at + 3]) < 0)
		return -1;
	return hex_digit(text[at + 2]) * 16 + hex_digit(text[at + 3]);
}

static void skip_blanks(struct lexer *lexer)
{
	while (lexer->at < lexer->length) {
		if (lexer->text[lexer->at] == '#') {
			while (lexer->at < lexer->length && lexer->text[lexer->at] != '\n')
				lexer->at++;
		} else if (is_blank(lexer->text[lexer->at])) {
			lexer->at++;
		} else {
			break;
		}
	}
}

static enum token_kind take_string(struct lexer *lexer)
{
	const unsigned start = lexer->at;
	char quote[QUOTE_SIZE];
	unsigned at;

	for (at = start + 1; at < lexer->length && lexer->text[at] != '"'; at++) {
		if (lexer->text[at] != '\\')
			continue;
		if (hex_escape(lexer->text, at, lexer->length) == 0)
			findings_add(lexer->findings, at, "NUL byte \"\\x00\" in a string");
		at++;
	}
	if (at < lexer->length) {
		lexer->at = at + 1;
		return TOKEN_WORD;
	}
	findings_add(lexer->findings, start, "unterminated string %s",
	             finding_quote(quote, lexer->text + start, lexer->length - start));
	lexer->at = lexer->length;
	return TOKEN_BAD;
}

static enum token_kind take_word(struct lexer *lexer)
{
	static const struct {
		const char *text;
		enum token_kind kind;
	} keywords[] = {{"if", TOKEN_IF}, {"then", TOKEN_THEN}, {"else", TOKEN_ELSE}, {"endif", TOKEN_ENDIF}};
	const char *word = lexer->text + lexer->at;
	size_t length = 0;

	while (lexer->at < lexer->length && is_word(lexer->text[lexer->at])) {
		lexer->at++;
		length++;
	}
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (length == strlen(keywords[i].text) && memcmp(word, keywords[i].text, length) == 0)
			return keywords[i].kind;
	}
	return TOKEN_WORD;
}

/* One operator; or bytes that mean nothing, as one token for a run of them. */
static enum token_kind take_mark(struct lexer *lexer)
{
	static const struct {
		char text[3];
		enum token_kind kind;
	} marks[] = {
		{"&&", TOKEN_AND},  {"||", TOKEN_OR},       {"==", TOKEN_EQUAL}, {"!=", TOKEN_UNEQUAL},
		{"!", TOKEN_NOT},   {"+", TOKEN_PLUS},      {"(", TOKEN_OPEN},   {")", TOKEN_CLOSE},
		{",", TOKEN_COMMA}, {";", TOKEN_SEMICOLON},
	};
	const char *text = lexer->text + lexer->at;
	const unsigned left = lexer->length - lexer->at;
	unsigned length = 1;
	char quote[QUOTE_SIZE];

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		length = marks[i].text[1] ? 2 : 1;
		if (length <= left && memcmp(text, marks[i].text, length) == 0) {
			lexer->at += length;
			return marks[i].kind;
		}
	}
	for (length = 1; !is_mark(text[0]) && length < left; length++) {
		if (is_blank(text[length]) || is_word(text[length]) || is_mark(text[length]))
			break;
	}
	findings_add(lexer->findings, lexer->at, "unexpected \"%s\"", finding_quote(quote, text, length));
	lexer->at += length;
	return TOKEN_BAD;
}

struct token lexer_next(struct lexer *lexer)
{
	struct token token = {TOKEN_END, 0, 0};

	skip_blanks(lexer);
	token.start = lexer->at;
	if (lexer->at < lexer->length) {
		if (lexer->text[lexer->at] == '"')
			token.kind = take_string(lexer);
		else if (is_word(lexer->text[lexer->at]))
			token.kind = take_word(lexer);
		else
			token.kind = take_mark(lexer);
	}
	token.end = lexer->at;
	return token;
}

/* The byte that an escape at offset *at stands for; *at moves to the escape's last byte. A backslash may stay one. */
static char resolve_escape(const char *text, unsigned *at, unsigned end)
{
	static const char escapes[][2] = {{'n', '\n'}, {'t', '\t'}, {'"', '"'}, {'\\', '\\'}};
	int byte = hex_escape(text, *at, end);

	if (byte >= 0) {
		*at += 3;
		return (char)byte;
	}
	for (size_t i = 0; end - *at > 1 && i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		if (text[*at + 1] == escapes[i][0]) {
			*at += 1;
			return escapes[i][1];
		}
	}
	return '\\';
}

const char *lexer_word(const struct lexer *lexer, const struct token *token, struct arena *arena)
{
	const bool quoted = lexer->text[token->start] == '"';
	const unsigned start = token->start + quoted, end = token->end - quoted;
	char *word = arena_alloc(arena, (size_t)(end - start) + 1);
	size_t length = 0;

	if (!word)
		return NULL;
	for (unsigned at = start; at < end; at++) {
		if (lexer->text[at] == '\\')
			word[length++] = resolve_escape(lexer->text, &at, end);
		else
			word[length++] = lexer->text[at];
	}
	return word;
}
