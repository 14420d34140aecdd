/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/main_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH 40

unsigned main_processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count > 0 ? (unsigned)count : 1;
}

bool main_parse_number(const char *text, unsigned long long max, unsigned long long *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *value <= max;
}

bool main_take_time(struct gen_options *options)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	unsigned long long value;

	if (!text || !*text)
		return true;
	if (!main_parse_number(text, UINT32_MAX, &value)) {
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
