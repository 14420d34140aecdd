/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/in_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int in_place_open(struct fixture *f, const struct in_place *plan, struct storage_units **units)
{
	const struct storage_units_options options = {.journal = JOURNAL, .length = plan->length, .unit = plan->unit};
	struct storage_units_info info;

	return storage_units_open(f->storage, &plan->name, &options, units, &info, &f->error);
}

static size_t size_of(const struct in_place *plan, size_t at)
{
	return plan->length - at < plan->unit ? plan->length - at : plan->unit;
}

int in_place_run(struct fixture *f, const struct in_place *plan)
{
	uint8_t found[65536];
	struct storage_units *units;
	struct reader io;
	int err = in_place_open(f, plan, &units);
	int closed;

	if (err < 0)
		return err;
	io = storage_units_io(units);
	for (size_t number = (plan->length + plan->unit - 1) / plan->unit; number-- > 0 && err == 0;) {
		size_t at = number * plan->unit;
		size_t n = size_of(plan, at);

		err = io.read_at(io.ctx, at, found, n);
		if (err == 0 && memcmp(found, plan->after + at, n) != 0)
			err = storage_units_change(units, number, plan->after + at, n, &f->error);
		if (err == 0) /* the reader sees what was changed behind it */
			err = io.read_at(io.ctx, at, found, n);
		if (err == 0)
			ck_assert_mem_eq(found, plan->after + at, n);
	}
	closed = storage_units_close(units, err < 0 ? NULL : &f->error);
	return err < 0 ? err : closed;
}

void in_place_check(struct fixture *f, const struct in_place *plan, bool all)
{
	uint8_t found[65536];
	struct storage_reader *reader;
	struct storage_stat stat;
	struct reader io;

	ck_assert_int_eq(storage_stat_path(f->storage, JOURNAL, &stat), -ENOENT);
	ck_assert_msg(storage_reader_open(f->storage, &plan->name, &reader, &f->error) == 0, "%s", f->error.message);
	io = storage_reader_io(reader);
	for (size_t at = 0; at < plan->length; at += plan->unit) {
		size_t n = size_of(plan, at);

		ck_assert_msg(io.read_at(io.ctx, at, found, n) == 0, "unit at %zu cannot be read", at);
		if (all || memcmp(found, plan->before + at, n) != 0)
			ck_assert_msg(memcmp(found, plan->after + at, n) == 0, "unit at %zu is not new", at);
	}
	storage_reader_close(reader);
}

/* Line number `index` of the log. */
static const char *call_at(const struct fake_medium *medium, unsigned index)
{
	const char *line = medium->log;

	while (index-- > 0 && *line != '\0')
		line += strcspn(line, "\n") + 1;
	return line;
}

static void tear_nand(struct fake_nand *nand, size_t offset)
{
	size_t page = offset / nand->info.page_size;
	size_t pages = nand->info.erase_size / nand->info.page_size;

	fill(nand->data + offset, nand->info.erase_size, (unsigned)offset + 7);
	memset(nand->programmed + page, 1, pages);
	memset(nand->unreadable + page + pages / 2, 1, pages / 2);
}

/* What the call that failed would have changed is neither old nor new, where the medium promises nothing else. */
static void tear(struct fake_medium *medium, const char *call)
{
	char verb[16];
	char object[128];
	char offset[24];
	unsigned long long at;
	struct fake_node *node;

	if (sscanf(call, "%15s %127s %23s", verb, object, offset) < 3)
		return;
	at = strtoull(offset, NULL, 0);
	for (int i = 0; i < medium->nands && (strcmp(verb, "erase") == 0 || strcmp(verb, "program") == 0); i++)
		if (strcmp(object, medium->nand[i].name) == 0)
			tear_nand(&medium->nand[i], (size_t)at - (size_t)at % medium->nand[i].info.erase_size);
	node = fake_find(medium, object);
	if (strcmp(verb, "write") == 0 && strncmp(object, "/dev/", 5) == 0 && node)
		fill(node->data + at, 100, 11);
}

unsigned in_place_cut(const struct in_place *plan, void (*begin)(struct fixture *f))
{
	for (unsigned calls = 0;; calls++) {
		struct fixture f;
		struct fake_rule *rule;
		int err;

		begin(&f);
		rule = f.medium->rule;
		memmove(rule + 1, rule, (size_t)f.medium->rules++ * sizeof(*rule)); /* before the lasting ones */
		*rule = (struct fake_rule){.skip = calls, .count = 1000000, .result = -ENODEV};
		fake_clear_log(f.medium);
		err = in_place_run(&f, plan);
		rule->count = 0;
		if (err == 0) {
			in_place_check(&f, plan, true);
			fixture_close(&f);
			return calls;
		}
		ck_assert_msg(err == -ENODEV, "call %u: %d %s", calls, err, f.error.message);
		tear(f.medium, call_at(f.medium, calls));
		err = storage_units_recover(f.storage, JOURNAL, &f.error);
		ck_assert_msg(err >= 0, "call %u: %s", calls, f.error.message);
		in_place_check(&f, plan, false);
		err = in_place_run(&f, plan);
		ck_assert_msg(err == 0, "call %u: %s", calls, f.error.message);
		in_place_check(&f, plan, true);
		fixture_close(&f);
	}
}
