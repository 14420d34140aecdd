/* SPDX-License-Identifier: Apache-2.0 */
#include "package/rollback.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

int package_parse_rollback(const char *text, size_t size, uint32_t *index, struct error *error)
{
	uint64_t value = 0;
	size_t digits = 0;

	while (size > 0 && is_space(text[size - 1]))
		size--;
	for (; size > 0 && is_space(*text); size--)
		text++;
	while (digits < size && text[digits] >= '0' && text[digits] <= '9' && value <= UINT32_MAX)
		value = value * 10 + (uint64_t)(text[digits++] - '0');
	if (digits == 0 || digits < size || value > UINT32_MAX)
		return error_set(error, RESULT_FORMAT, EINVAL, "the rollback index is no number from 0 to %" PRIu32,
		                 UINT32_MAX);
	*index = (uint32_t)value;
	return 0;
}

int package_read_rollback(struct package *package, uint32_t *index, struct error *error)
{
	char *text;
	size_t size;
	int err = package_load(package, PACKAGE_ROLLBACK_INDEX, PACKAGE_ROLLBACK_MAX, &text, &size, error);

	*index = 0;
	if (err == -ENOENT)
		return 0;
	if (err < 0)
		return err;
	err = package_parse_rollback(text, size, index, error);
	free(text);
	return err;
}

int package_compare_rollback(uint32_t offered, uint32_t running, struct error *error)
{
	if (offered >= running)
		return 0;
	return error_set(error, RESULT_ROLLBACK, EPERM,
	                 "the package leads back to rollback index %" PRIu32 ", this system has %" PRIu32, offered,
	                 running);
}
