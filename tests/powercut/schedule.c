/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const survivals[SURVIVAL_COUNT] = {
	[SURVIVAL_NOTHING] = "nothing", [SURVIVAL_EVERYTHING] = "everything", [SURVIVAL_EMPTY] = "empty",
	[SURVIVAL_TORN] = "torn",       [SURVIVAL_PREFIX] = "prefix",         [SURVIVAL_SOME] = "some",
};

uint64_t scatter(uint64_t number)
{
	number += UINT64_C(0x9E3779B97F4A7C15);
	number = (number ^ (number >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	number = (number ^ (number >> 27)) * UINT64_C(0x94D049BB133111EB);
	return number ^ (number >> 31);
}

static size_t format_cut(const struct cut *cut, char *text, size_t room)
{
	char variant[24];
	int n;

	if (cut->variant == CUT_BEFORE)
		(void)snprintf(variant, sizeof(variant), "before");
	else if (cut->variant == CUT_AFTER)
		(void)snprintf(variant, sizeof(variant), "after");
	else
		(void)snprintf(variant, sizeof(variant), "torn%u", cut->variant - CUT_TORN);
	n = snprintf(text, room, "%u:%s:%s:%" PRIu32, cut->operation, variant, survivals[cut->survival], cut->seed);
	return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

const char *schedule_format(const struct schedule *schedule, char key[KEY_SIZE])
{
	size_t used = (size_t)snprintf(key, KEY_SIZE, "%s/%s/", schedule->package, loader_name(schedule->loader));

	if (schedule->random) {
		(void)snprintf(key + used, KEY_SIZE - used, "random:%" PRIu64, schedule->seed);
		return key;
	}
	if (schedule->count == 0)
		(void)snprintf(key + used, KEY_SIZE - used, "none");
	for (unsigned i = 0; i < schedule->count; i++) {
		if (i > 0)
			key[used++] = ',';
		used += format_cut(&schedule->cuts[i], key + used, KEY_SIZE - used);
	}
	return key;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	*number = strtoull(text, &end, 10);
	return *end == '\0' && *number <= max;
}

static bool parse_variant(const char *text, unsigned *variant)
{
	uint64_t tear;

	if (strcmp(text, "before") == 0)
		*variant = CUT_BEFORE;
	else if (strcmp(text, "after") == 0)
		*variant = CUT_AFTER;
	else if (strncmp(text, "torn", 4) == 0 && parse_number(text + 4, 99, &tear))
		*variant = CUT_TORN + (unsigned)tear;
	else
		return false;
	return true;
}

static bool parse_survival(const char *text, enum survival *survival)
{
	for (unsigned i = 0; i < SURVIVAL_COUNT; i++)
		if (strcmp(text, survivals[i]) == 0) {
			*survival = (enum survival)i;
			return true;
		}
	return false;
}

static bool parse_cut(char *text, struct cut *cut)
{
	char *save = NULL;
	const char *operation = strtok_r(text, ":", &save);
	const char *variant = strtok_r(NULL, ":", &save);
	const char *survival = strtok_r(NULL, ":", &save);
	const char *seed = strtok_r(NULL, ":", &save);
	uint64_t numbers[2];

	if (!operation || !variant || !survival || !seed || strtok_r(NULL, ":", &save) ||
	    !parse_number(operation, UINT32_MAX, &numbers[0]) || !parse_number(seed, UINT32_MAX, &numbers[1]) ||
	    !parse_variant(variant, &cut->variant) || !parse_survival(survival, &cut->survival))
		return false;
	cut->operation = (unsigned)numbers[0];
	cut->seed = (uint32_t)numbers[1];
	return true;
}

static bool parse_cuts(char *text, struct schedule *schedule)
{
	char *save = NULL;

	for (char *at = strtok_r(text, ",", &save); at; at = strtok_r(NULL, ",", &save))
		if (schedule->count == SCHEDULE_CUTS || !parse_cut(at, &schedule->cuts[schedule->count++]))
			return false;
	return schedule->count > 0;
}

bool schedule_parse(const char *key, struct schedule *schedule, char name[64])
{
	char text[KEY_SIZE];
	char *save = NULL;
	const char *package;
	const char *loader;
	char *rest;

	memset(schedule, 0, sizeof(*schedule));
	if (strlen(key) >= sizeof(text))
		return false;
	(void)stpcpy(text, key);
	package = strtok_r(text, "/", &save);
	loader = strtok_r(NULL, "/", &save);
	rest = strtok_r(NULL, "/", &save);
	if (!package || !loader || !rest || strlen(package) >= 64)
		return false;
	(void)stpcpy(name, package);
	schedule->package = name;
	if (strcmp(loader, "lk") == 0)
		schedule->loader = LOADER_LK;
	else if (strcmp(loader, "abl") != 0)
		return false;
	if (strcmp(rest, "none") == 0)
		return true;
	schedule->random = strncmp(rest, "random:", 7) == 0;
	if (schedule->random)
		return parse_number(rest + 7, UINT64_MAX, &schedule->seed);
	return parse_cuts(rest, schedule);
}
