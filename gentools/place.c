/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/place.h"

#include <errno.h>
#include <sys/stat.h>

int place_check(const char *path, struct error *error)
{
	struct stat status;

	/* What else is wrong with the place, writing tells. */
	if (stat(path, &status) < 0 || S_ISREG(status.st_mode))
		return 0;
	return error_set(error, 0, EINVAL, "%s: is %s, and cannot become a package", path,
	                 S_ISDIR(status.st_mode) ? "a folder" : "no file");
}
