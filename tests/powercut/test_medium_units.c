/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/test_medium.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Objects changed in place over these media: power goes twice, and each unit is old or new in between, new at the end.
 */

#define JOURNAL "/cache/units"
#define UNIT    4096u
#define UNITS   3u
#define LENGTH  ((UNITS - 1) * UNIT + 1000)

static struct storage *storage;
static struct storage_name object;

static void setup(void)
{
	uint8_t old[UNITS * UNIT];

	bench_setup();
	memset(old, 'o', sizeof(old));
	medium_write_nand(bench_get()->medium, "misc", old, sizeof(old));
	medium_write_volume(bench_get()->medium, "modem", old, sizeof(old));
	ck_assert_int_eq(storage_open_medium(&medium_ops, bench_get()->medium, NULL, &storage, NULL), 0);
}

static void teardown(void)
{
	storage_close(storage);
	bench_teardown();
}

static size_t size_of(uint64_t number)
{
	return number == UNITS - 1 ? LENGTH % UNIT : UNIT;
}

static bool is_all(const uint8_t *data, size_t length, int byte)
{
	for (size_t i = 0; i < length; i++)
		if (data[i] != byte)
			return false;
	return true;
}

/* Whatever of it is not new becomes so. */
static int run(void)
{
	const struct storage_units_options options = {.journal = JOURNAL, .length = LENGTH, .unit = UNIT};
	struct storage_units_info info;
	struct storage_units *units;
	uint8_t data[UNIT];
	struct reader io;
	int err = storage_units_open(storage, &object, &options, &units, &info, NULL);

	if (err < 0)
		return err;
	io = storage_units_io(units);
	for (uint64_t i = 0; i < UNITS && err == 0; i++) {
		err = io.read_at(io.ctx, i * UNIT, data, size_of(i));
		if (err < 0 || is_all(data, size_of(i), 'n'))
			continue;
		memset(data, 'n', UNIT);
		err = storage_units_change(units, i, data, size_of(i), NULL);
	}
	return err < 0 ? err : storage_units_close(units, NULL);
}

/* As the boot loader or a program sees it; a page that does not read reliably is neither old nor new. */
static bool is_sound(bool all_new)
{
	uint8_t data[LENGTH];
	struct medium *medium = bench_get()->medium;

	if (!(object.kind == STORAGE_MTD ? medium_read_nand(medium, object.name, data, sizeof(data))
	                                 : medium_read_volume(medium, object.name, data, sizeof(data))))
		return false;
	for (uint64_t i = 0; i < UNITS; i++)
		if (!is_all(data + i * UNIT, size_of(i), 'n') && (all_new || !is_all(data + i * UNIT, size_of(i), 'o')))
			return false;
	return true;
}

static unsigned at_step(void *ctx, const struct cut_point *point)
{
	struct bench *bench = ctx;

	if (bench->steps-- > 0)
		return CUT_NONE;
	bench->steps = 0;
	return bench->decision < CUT_TORN + point->tears ? bench->decision : CUT_AFTER;
}

enum outcome { SOUND, THIRD_STATE, NOT_ENDED, NOT_CUT };

/* Run, losing power at a step; the next boot's recovery loses it, too, some steps later. */
static enum outcome run_cut(enum survival survival, unsigned step, unsigned decision)
{
	struct bench *bench = bench_get();

	bench->steps = step;
	bench->decision = decision;
	medium_events(bench->medium)->step = at_step;
	if (setjmp(bench->power_off) == 0)
		return run() < 0 ? NOT_ENDED : NOT_CUT;
	bench_crash(survival, step);
	bench->steps = (step * 7 + decision) % 11;
	bench->decision = CUT_BEFORE + (step + decision) % 5;
	if (setjmp(bench->power_off) == 0) {
		if (storage_units_recover(storage, JOURNAL, NULL) < 0)
			return NOT_ENDED;
		if (!is_sound(false))
			return THIRD_STATE;
	} else {
		bench_crash(survival, step);
	}
	medium_events(bench->medium)->step = NULL;
	if (storage_units_recover(storage, JOURNAL, NULL) < 0)
		return NOT_ENDED;
	if (!is_sound(false))
		return THIRD_STATE;
	if (run() < 0)
		return NOT_ENDED;
	return is_sound(true) && is_missing(JOURNAL) ? SOUND : THIRD_STATE;
}

/* In a process of its own: what the storage room held when the power went is lost in it, as on a module. */
static enum outcome run_cut_apart(enum survival survival, unsigned step, unsigned decision)
{
	int status = 0;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit((int)run_cut(survival, step, decision));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return (enum outcome)WEXITSTATUS(status);
}

/* Every way at every step; the steps that there are. */
static unsigned sweep(const char *name, enum survival survival)
{
	unsigned steps = 0;

	ck_assert_int_eq(storage_name_parse(name, &object, NULL), 0);
	for (unsigned decision = CUT_BEFORE; decision < CUT_TORN + 4; decision++) {
		unsigned step = 0;

		for (;; step++) {
			enum outcome outcome = run_cut_apart(survival, step, decision);

			if (outcome == NOT_CUT)
				break;
			ck_assert_msg(outcome == SOUND, "step %u, decision %u: %s", step, decision,
			              outcome == THIRD_STATE ? "a third state" : "it does not come to its end");
		}
		steps = step;
	}
	return steps;
}

START_TEST(volume)
{
	ck_assert_uint_eq(sweep("UBI:modem", (enum survival)_i), UNITS);
}
END_TEST

START_TEST(partition)
{
	ck_assert_uint_gt(sweep("MTD:misc", (enum survival)_i), UINTMAX_C(8) * UNITS);
}
END_TEST

/* One block wears out at its n-th erase or program: it leaves, and what is behind it moves. */
START_TEST(partition_with_a_worn_block)
{
	for (unsigned block = 0; block < BLOCKS - 1; block++) {
		teardown();
		setup();
		medium_wear_out(bench_get()->medium, "misc", block, 1 + (unsigned)_i % 3);
		ck_assert_uint_gt(sweep("MTD:misc", (enum survival)_i), UINTMAX_C(8) * UNITS);
	}
}
END_TEST

Suite *suite_units(void)
{
	Suite *suite = suite_create("powercut units");
	TCase *tcase = tcase_create("units");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, volume, 0, SURVIVAL_COUNT);
	tcase_add_loop_test(tcase, partition, 0, SURVIVAL_COUNT);
	tcase_add_loop_test(tcase, partition_with_a_worn_block, 0, SURVIVAL_COUNT);
	suite_add_tcase(suite, tcase);
	return suite;
}
