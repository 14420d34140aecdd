/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include <stdio.h>

const char *report_code_text(int code)
{
	switch (code) {
	case RESULT_OK:
		return "success";
	case RESULT_UNPACK:
		return "package cannot be decompressed, or there is no room for it";
	case RESULT_ABNORMAL:
		return "upgrade process ended abnormally";
	case RESULT_DIGEST:
		return "MD5 of the package's content differs";
	case RESULT_FORMAT:
		return "not an upgrade package";
	case RESULT_PRECHECK:
		return "refused by the checks before the upgrade";
	case RESULT_VERIFY:
		return "file verification failed";
	case RESULT_SPACE:
		return "not enough space during the upgrade";
	case RESULT_UNSIGNED:
		return "package is not signed";
	case RESULT_UNTRUSTED:
		return "package is signed by nobody who is trusted";
	case RESULT_TAMPERED:
		return "package is not as it was signed";
	case RESULT_ROLLBACK:
		return "package is for an older version than the one that runs";
	case RESULT_SEALED:
		return "package is encrypted for others";
	case RESULT_FORGED:
		return "package is not as it was encrypted";
	case RESULT_TOO_LARGE:
		return "package too large for the user data volume";
	default:
		return "unknown error";
	}
}

static const char *status_word(enum report_status status)
{
	switch (status) {
	case REPORT_IN_PROGRESS:
		return "IP_PREVIOUS_UPDATE_IN_PROGRESS";
	case REPORT_SUCCESSFUL:
		return "IP_PREVIOUS_UPDATE_SUCCESSFUL";
	case REPORT_FAILED:
		return "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED";
	}
	return "IP_NO_UPDATE";
}

int report_write_status(struct storage *storage, const char *path, enum report_status status, int code,
                        const char *note, struct error *error)
{
	char text[1024];
	int length = snprintf(text, sizeof(text), "%s %d\n%s", status_word(status), code, note ? note : "");

	if (length >= (int)sizeof(text))
		length = (int)sizeof(text) - 1;
	return storage_save(storage, path, text, (size_t)length, 0644, error);
}
