/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/main_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH 40
#define JOBS_MAX  1024

bool main_parse_compat(const char *text, bool *native)
{
	*native = strcmp(text, "native") == 0;
	if (*native || strcmp(text, "lineage") == 0)
		return true;
	(void)fprintf(stderr, "update_gen: --compat %s: neither lineage nor native\n", text);
	return false;
}

unsigned main_processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count > 0 ? (unsigned)count : 1;
}

/* Decimal digits and nothing else. */
static bool parse_number(const char *text, unsigned long long max, unsigned long long *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *value <= max;
}

unsigned main_parse_jobs(const char *text)
{
	unsigned long long value;

	if (parse_number(text, JOBS_MAX, &value) && value > 0)
		return (unsigned)value;
	(void)fprintf(stderr, "update_gen: --jobs %s: not a number from 1 to %d\n", text, JOBS_MAX);
	return 0;
}

bool main_parse_bytes(const char *option, const char *text, uint64_t *bytes)
{
	static const char units[] = "KkMm";
	size_t length = strlen(text);
	const char *unit = length > 0 ? strchr(units, text[length - 1]) : NULL;
	char *digits = strndup(text, unit ? length - 1 : length);
	unsigned long long value;
	bool good = digits && parse_number(digits, UINT32_MAX, &value) && value > 0;

	if (good)
		*bytes = !unit ? value : value << (unit - units < 2 ? 10 : 20);
	else
		(void)fprintf(stderr, "update_gen: %s %s: not a number of bytes\n", option, text);
	free(digits);
	return good;
}

bool main_take_time(struct gen_options *options)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	unsigned long long value;

	if (!text || !*text)
		return true;
	if (!parse_number(text, UINT32_MAX, &value)) {
		(void)fprintf(stderr, "update_gen: SOURCE_DATE_EPOCH=%s: not a number of seconds\n", text);
		return false;
	}
	options->time = (int64_t)value;
	options->has_time = true;
	/* zip has local times. */
	if (setenv("TZ", "UTC0", 1) < 0) {
		perror("update_gen: TZ");
		return false;
	}
	tzset();
	return true;
}

static void show_bar(void *ctx, const char *what, double done)
{
	struct main_bar *bar = ctx;
	int percent = (int)(100 * done);
	int full = BAR_WIDTH * percent / 100;

	if (bar->what == what && bar->percent == percent)
		return;
	bar->what = what;
	bar->percent = percent;
	(void)fprintf(stderr, "\r%-14s [%.*s%*s] %3d%%", what, full, "########################################",
	              BAR_WIDTH - full, "", percent);
}

struct gen_progress main_progress(struct main_bar *bar)
{
	if (!isatty(STDERR_FILENO) || isatty(STDOUT_FILENO))
		return (struct gen_progress){0};
	return (struct gen_progress){.show = show_bar, .ctx = bar};
}

void main_end_progress(const struct main_bar *bar)
{
	if (bar->what)
		(void)fputs("\r\033[K", stderr);
}
