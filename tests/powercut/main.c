/* SPDX-License-Identifier: Apache-2.0 */
/* The power-cut simulator's command line. */
#include "tests/powercut/engine.h"
#include "tests/powercut/named.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RANDOM_DEFAULT 200u /* schedules of each package and loader */
#define RANDOM_ROUND   500u /* the same, between two looks at the clock */
#define QUICK_RANDOM   3u

static const char usage[] =
	"Usage: powercut [OPTION]...\n"
	"Upgrades a simulated module with the real recovery and updater, and cuts its power at every durable\n"
	"operation: before it, half-way through it, behind it. Prints what was tried per package and bootloader; the\n"
	"last line is \"N passed, N failed\". Without options: all of it.\n"
	"\n"
	"  --package NAME   this reference package only; may be repeated\n"
	"  --loader NAME    abl or lk only\n"
	"  --singles        each single cut\n"
	"  --pairs          each pair of cuts on the package tiny\n"
	"  --random N       N random deep schedules of each package and loader\n"
	"  --named          what has a name of its own\n"
	"  --hours N        random deep schedules with fresh seeds for so long\n"
	"  --every          every survival rule at every single cut\n"
	"  --quick          a few seconds: single cuts of the package tiny, three random schedules of the others\n"
	"  --seed S         where random numbers begin (default: 1; with --hours: the time)\n"
	"  --jobs N         processes at a time (default: one per processor)\n"
	"  --shown N        print N failures of each test (default: 10)\n"
	"  --replay KEY     exactly the schedule of this key, with each operation and recovery's log\n"
	"  --list           the reference packages\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 nothing failed, 1 something did, 2 wrong usage.\n";

struct options {
	bool wanted[32]; /* packages by index */
	bool any_package;
	int loader; /* -1: both */
	bool singles, pairs, named, quick;
	unsigned random;
	double hours;
	bool has_seed;
	const char *replay;
};

struct totals {
	unsigned long operations, cut_points, schedules, boots, failures, beyond_help;
	unsigned passed, failed;
};

/* ---- Output ---- */

static void tell_test(struct totals *totals, const struct tally *tally, const char *kind, const char *name)
{
	bool good = atomic_load(&tally->failures) == 0 && atomic_load(&tally->schedules) > 0;

	(void)printf("%-6s %-8s %-22s %10u %10u %9u %9u %8u %11u %6llu %7llu\n", good ? "ok" : "FAILED", kind, name,
	             atomic_load(&tally->operations), atomic_load(&tally->cut_points), atomic_load(&tally->schedules),
	             atomic_load(&tally->boots), atomic_load(&tally->failures), atomic_load(&tally->beyond_help),
	             atomic_load(&tally->heap) / 1024, atomic_load(&tally->scratch));
	(void)fflush(stdout);
	totals->operations += atomic_load(&tally->operations);
	totals->cut_points += atomic_load(&tally->cut_points);
	totals->schedules += atomic_load(&tally->schedules);
	totals->boots += atomic_load(&tally->boots);
	totals->failures += atomic_load(&tally->failures);
	totals->beyond_help += atomic_load(&tally->beyond_help);
	totals->passed += good;
	totals->failed += !good;
}

static void tell_head(void)
{
	(void)printf("%-6s %-8s %-22s %10s %10s %9s %9s %8s %11s %6s %7s\n", "", "cuts", "package", "operations",
	             "cut points", "schedules", "boots", "failures", "beyond help", "KiB", "scratch");
	(void)fflush(stdout);
}

static int finish(const struct totals *totals, double seconds)
{
	(void)printf("%lu schedules, %lu boots, %lu failures, %lu beyond help (LK), %.0f seconds\n", totals->schedules,
	             totals->boots, totals->failures, totals->beyond_help, seconds);
	(void)printf("%u passed, %u failed\n", totals->passed, totals->failed);
	return totals->failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- Tests ---- */

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time); /* cannot fail for this clock */
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void test_one(struct engine *engine, struct totals *totals, const struct options *options,
                     const struct reference *reference, enum loader loader)
{
	bool tiny = strcmp(reference->name, "tiny") == 0;
	char name[64];

	(void)snprintf(name, sizeof(name), "%s/%s", reference->name, loader_name(loader));
	if (options->singles && (!options->quick || tiny)) {
		engine_singles(engine, reference, loader, NULL);
		tell_test(totals, engine->tally, "single", name);
	}
	if (options->pairs && tiny) {
		engine_pairs(engine, reference, loader);
		tell_test(totals, engine->tally, "pair", name);
	}
	if (options->random > 0) {
		engine_random(engine, reference, loader, options->random);
		tell_test(totals, engine->tally, "random", name);
	}
}

static void test_named(struct engine *engine, struct totals *totals)
{
	for (unsigned i = 0; named_name(i); i++) {
		bool good = named_run(i, engine);

		(void)printf("%-6s %s (%u schedules)\n", good ? "ok" : "FAILED", named_name(i),
		             atomic_load(&engine->tally->schedules));
		(void)fflush(stdout);
		totals->schedules += atomic_load(&engine->tally->schedules);
		totals->boots += atomic_load(&engine->tally->boots);
		totals->failures += atomic_load(&engine->tally->failures);
		totals->passed += good;
		totals->failed += !good;
	}
}

static void test_packages(struct engine *engine, struct totals *totals, const struct options *options)
{
	for (unsigned i = 0; reference_name(i); i++) {
		struct reference *reference;

		if (options->any_package && !options->wanted[i])
			continue;
		reference = reference_make(i);
		for (int loader = 0; loader < LOADERS; loader++)
			if (options->loader < 0 || options->loader == loader)
				test_one(engine, totals, options, reference, (enum loader)loader);
		reference_free(reference);
	}
}

static int run_tests(struct engine *engine, struct options *options)
{
	struct totals totals = {0};
	double start = now();
	double end = start + options->hours * 3600;

	tell_head();
	do {
		test_packages(engine, &totals, options);
		if (options->named)
			test_named(engine, &totals);
		options->named = false;
		engine->seed += options->random;
	} while (now() < end);
	return finish(&totals, now() - start);
}

static int replay(struct engine *engine, const char *key)
{
	struct log log = log_to_stdout();
	struct schedule schedule;
	struct reference *reference;
	char name[64];
	bool good;
	int index;

	if (!schedule_parse(key, &schedule, name) || (index = reference_find(name)) < 0) {
		(void)fprintf(stderr, "powercut: %s is no key\n", key);
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* the log shall have every line of what crashes */
	reference = reference_make((unsigned)index);
	good = engine_replay(engine, reference, &schedule, &log);
	reference_free(reference);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int list(void)
{
	for (unsigned i = 0; reference_name(i); i++)
		(void)printf("%-18s %s\n", reference_name(i), reference_summary(i));
	return EXIT_SUCCESS;
}

/* ---- Options ---- */

static bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	if (text[0] < '0' || text[0] > '9')
		return false;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *number <= max;
}

static bool parse_package(struct options *options, const char *name)
{
	int index = reference_find(name);

	if (index < 0 || index >= (int)(sizeof(options->wanted) / sizeof(options->wanted[0])))
		return false;
	options->wanted[index] = true;
	options->any_package = true;
	return true;
}

static bool parse_loader(struct options *options, const char *name)
{
	for (int i = 0; i < LOADERS; i++)
		if (strcmp(name, loader_name((enum loader)i)) == 0)
			options->loader = i;
	return options->loader >= 0;
}

static bool parse_hours(struct options *options, const char *text)
{
	char *end;

	options->hours = strtod(text, &end);
	options->random = RANDOM_ROUND;
	return end != text && *end == '\0' && options->hours > 0 && options->hours < 10000;
}

/* One with a value. */
static bool parse_value(struct options *options, struct engine *engine, int option, const char *value)
{
	uint64_t number = 0;

	switch (option) {
	case 'p':
		return parse_package(options, value);
	case 'l':
		return parse_loader(options, value);
	case 'h':
		return parse_hours(options, value);
	case 'k':
		options->replay = value;
		return true;
	case 'r':
		if (!parse_number(value, 100000000, &number) || number == 0)
			return false;
		options->random = (unsigned)number;
		return true;
	case 's':
		options->has_seed = true;
		return parse_number(value, UINT64_MAX, &engine->seed);
	case 'f':
		if (!parse_number(value, 100000, &number))
			return false;
		engine->shown = (unsigned)number;
		return true;
	case 'j':
		if (!parse_number(value, 64, &number) || number == 0)
			return false;
		engine->jobs = (unsigned)number;
		return true;
	default:
		return false;
	}
}

/* -1: go on. */
static int parse_options(int argc, char **argv, struct options *options, struct engine *engine)
{
	static const struct option known[] = {
		{"package", required_argument, NULL, 'p'}, {"loader", required_argument, NULL, 'l'},
		{"singles", no_argument, NULL, '1'},       {"pairs", no_argument, NULL, '2'},
		{"random", required_argument, NULL, 'r'},  {"named", no_argument, NULL, 'n'},
		{"hours", required_argument, NULL, 'h'},   {"every", no_argument, NULL, 'e'},
		{"quick", no_argument, NULL, 'q'},         {"seed", required_argument, NULL, 's'},
		{"jobs", required_argument, NULL, 'j'},    {"shown", required_argument, NULL, 'f'},
		{"replay", required_argument, NULL, 'k'},  {"list", no_argument, NULL, 'L'},
		{"help", no_argument, NULL, 'H'},          {NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (option) {
		case '1':
			options->singles = true;
			break;
		case '2':
			options->pairs = true;
			break;
		case 'n':
			options->named = true;
			break;
		case 'e':
			engine->every = true;
			break;
		case 'q':
			options->quick = true;
			break;
		case 'L':
			return list();
		case 'H':
			return fputs(usage, stdout) < 0;
		default:
			if (option == '?' || !parse_value(options, engine, option, optarg)) {
				(void)fputs(usage, stderr);
				return 2;
			}
		}
	}
	if (optind == argc)
		return -1;
	(void)fputs(usage, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct options options = {.loader = -1};
	struct engine engine = engine_new();
	int result = parse_options(argc, argv, &options, &engine);

	if (result >= 0)
		goto out;
	if (options.hours > 0 && !options.has_seed)
		engine.seed = (uint64_t)time(NULL) << 20;
	if (options.quick) {
		options.singles = true;
		options.random = QUICK_RANDOM;
	} else if (!options.singles && !options.pairs && options.random == 0 && !options.named) {
		options.singles = true;
		options.pairs = true;
		options.named = true;
		options.random = RANDOM_DEFAULT;
	}
	result = options.replay ? replay(&engine, options.replay) : run_tests(&engine, &options);
out:
	engine_free(&engine);
	return result;
}
