/* SPDX-License-Identifier: Apache-2.0 */
#include "script/run.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int script_result_take(struct script_value *result, char *text)
{
	*result = (struct script_value){.type = SCRIPT_TEXT, .text = text};
	return text ? 0 : -ENOMEM;
}

int script_result_text(struct script_value *result, const char *text)
{
	return script_result_take(result, strdup(text));
}

int script_result_blob(struct script_value *result, struct script_blob *blob)
{
	*result = (struct script_value){.type = SCRIPT_BLOB, .blob = blob};
	return 0;
}

void script_value_clear(struct script_value *value)
{
	if (value->blob)
		value->blob->release(value->blob);
	free(value->text);
	free(value->failure);
	*value = (struct script_value){0};
}

bool value_is_true(const struct script_value *value)
{
	return value->text[0] != '\0';
}

int value_set_truth(struct script_value *value, bool truth)
{
	return script_result_text(value, truth ? "t" : "");
}

void value_drop_failure(struct script_value *value)
{
	free(value->failure);
	value->failure = NULL;
}

int text_append(struct text_buffer *buffer, const char *text)
{
	const size_t length = strlen(text);

	if (length >= SIZE_MAX / 2 - buffer->length)
		return -ENOMEM;
	if (!buffer->text || buffer->size - buffer->length <= length) {
		size_t size = 2 * (buffer->length + length + 1);
		char *grown = realloc(buffer->text, size);

		if (!grown)
			return -ENOMEM;
		buffer->text = grown;
		buffer->size = size;
	}
	memcpy(buffer->text + buffer->length, text, length + 1);
	buffer->length += length;
	return 0;
}
