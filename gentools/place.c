/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int place_check(const char *path, struct error *error)
{
	struct stat status;

	/* What else is wrong with the place, writing tells. */
	if (stat(path, &status) < 0 || S_ISREG(status.st_mode))
		return 0;
	return error_set(error, 0, EINVAL, "%s: is %s, and cannot be replaced", path,
	                 S_ISDIR(status.st_mode) ? "a folder" : "no file");
}

int place_begin(const char *output, char **part, struct error *error)
{
	int err = place_check(output, error);

	*part = NULL;
	if (err < 0 || asprintf(part, "%s.part", output) >= 0)
		return err;
	*part = NULL;
	return error_set(error, 0, ENOMEM, "out of memory");
}

int place_end(char *part, const char *output, int err, struct error *error)
{
	if (!part)
		return err;
	if (err == 0 && rename(part, output) < 0)
		err = error_set(error, 0, errno, "cannot rename %s to %s: %s", part, output, strerror(errno));
	if (err < 0)
		(void)unlink(part); /* a remnant is the lesser evil than hiding the first error */
	free(part);
	return err;
}
