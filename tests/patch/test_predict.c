/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/scene.h"
#include "tests/patch/suites.h"

/* Which items are found in old bytes, and what becomes of them. */

/* The one item that is found. */
static struct predict_item find_item(const struct scene *scene)
{
	struct predict_item items[2];

	ck_assert_uint_eq(scene_items(scene, items, 2), 1);
	return items[0];
}

START_TEST(test_addresses)
{
	struct scene scene;
	const struct predict_space *space = &scene.prediction.old;

	scene_begin(&scene, 0, 0, 0);
	ck_assert_uint_eq(predict_locate(space, 0).address, 0x20000);
	ck_assert_uint_eq(predict_locate(space, 0x2fff).address, 0x22fff);
	ck_assert_uint_eq(predict_locate(space, 0x3000).address, 0x33000);
	ck_assert_ptr_eq(predict_locate(space, 0x3fff).program, &scene.program);
	ck_assert_uint_eq(predict_locate(space, 0x4000).address, 0x4000);
	ck_assert_ptr_null(predict_locate(space, 0x4000).program);
	ck_assert(predict_is_inside(&scene.program, 0x20000));
	ck_assert(predict_is_inside(&scene.program, 0x33fff));
	ck_assert(!predict_is_inside(&scene.program, 0x1ffff));
	ck_assert(!predict_is_inside(&scene.program, 0x34000));
}
END_TEST

/* Programs one after the other, each where it would be in a page. */
START_TEST(test_programs_are_laid_out)
{
	struct predict_program programs[] = {
		{.low = 0xc0208000, .end = 0xc0209234}, {.low = 0x10054, .end = 0x10055}, {.low = 0, .end = 0x10}};
	struct predict_segment segments[] = {{.offset = 0, .length = 8, .address = 4, .program = 1},
	                                     {.offset = 100, .length = 8, .address = 0, .program = 0},
	                                     {.offset = 108, .length = 8, .address = 2, .program = 2}};
	struct predict_space space = {
		.programs = programs, .program_count = 3, .segments = segments, .segment_count = 3};
	struct predict_space empty = {.programs = NULL};

	predict_lay_out(&empty);
	predict_lay_out(&space);
	ck_assert_uint_eq(programs[0].low, 0);
	ck_assert_uint_eq(programs[0].end, 0x1234);
	ck_assert_uint_eq(programs[0].bias, 0u - 0xc0208000u);
	ck_assert_uint_eq(programs[1].low, 0x2054);
	ck_assert_uint_eq(programs[1].end, 0x2055);
	ck_assert_uint_eq(programs[1].bias, 0x2054u - 0x10054u);
	ck_assert_uint_eq(programs[2].low, 0x3000);
	ck_assert_uint_eq(predict_locate(&space, 7).address, 0x205f);
	ck_assert_ptr_null(predict_locate(&space, 8).program);
	ck_assert_ptr_null(predict_locate(&space, 99).program);
	ck_assert_uint_eq(predict_locate(&space, 100).address, 0);
	ck_assert_uint_eq(predict_locate(&space, 108).address, 0x3002);
	ck_assert_ptr_null(predict_locate(&space, 116).program);
}
END_TEST

START_TEST(test_shifts)
{
	struct predict_shift list[] = {
		{.from = 100, .by = 8}, {.from = 200, .by = (uint32_t)-4}, {.from = 300, .by = 0}};
	struct predict_shifts shifts = {.list = list, .count = 3};
	struct predict_shifts none = {0};

	ck_assert_uint_eq(predict_shifted(&none, 7), 7);
	ck_assert_uint_eq(predict_shifted(&shifts, 99), 99);
	ck_assert_uint_eq(predict_shifted(&shifts, 100), 108);
	ck_assert_uint_eq(predict_shifted(&shifts, 199), 207);
	ck_assert_uint_eq(predict_shifted(&shifts, 200), 196);
	ck_assert_uint_eq(predict_shifted(&shifts, 299), 295);
	ck_assert_uint_eq(predict_shifted(&shifts, UINT32_MAX), UINT32_MAX);
}
END_TEST

/* An index must change nothing, wherever shifts lie in its parts. */
START_TEST(test_indexed_shifts)
{
	static const uint32_t gaps[] = {0, 1, 7, 1000, 3 << 20};
	struct predict_shift list[600];
	struct predict_shifts shifts = {.list = list, .count = 600};
	struct predict_shifts indexed;
	uint32_t from = 0;

	for (uint32_t i = 0; i < 600; i++) {
		from += gaps[i * i % 5];
		list[i] = (struct predict_shift){.from = from, .by = i * 0x9e3779b9};
	}
	list[599].from = 0xfff00000;
	indexed = shifts;
	predict_index(&indexed);
	for (uint32_t i = 0; i < 600; i++) {
		for (int32_t by = -3; by <= 3; by++) {
			uint32_t value = list[i].from + (uint32_t)by;

			ck_assert_uint_eq(predict_shifted(&indexed, value), predict_shifted(&shifts, value));
		}
	}
	shifts.count = 0;
	indexed = shifts;
	predict_index(&indexed);
	ck_assert_uint_eq(predict_shifted(&indexed, 5), 5);
}
END_TEST

START_TEST(test_a32_code)
{
	struct predict_item items[4];
	struct scene scene;

	scene_begin(&scene, PREDICT_A32, 0x100, 0x40);
	scene.away = 0x10;
	scene_put(&scene, 0x100, 0xeb00003d); /* bl to 0x100 + 8 + 4 * 0x3d */
	scene_put(&scene, 0x104, 0xe3023345); /* movw r3, #0x2345 */
	scene_put(&scene, 0x108, 0xe3024345); /* movw r4, which nothing follows */
	scene_put(&scene, 0x110, 0xe3403002); /* movt r3, #2 */
	ck_assert_uint_eq(scene_items(&scene, items, 4), 3);
	ck_assert_uint_eq(items[0].at, 0);
	ck_assert_uint_eq(items[0].target, 0x201fc);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[0], 0x10), 0xeb00003d);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[0], 0x14), 0xeb00003e);
	ck_assert_uint_eq(items[1].at, 4);
	ck_assert_uint_eq(items[1].target, 0x22345);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[1], 0xf000), 0xe3013345);
	ck_assert_uint_eq(items[2].at, 0x10);
	ck_assert_uint_eq(items[2].target, 0x22345);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[2], 0xf000), 0xe3403003);
}
END_TEST

START_TEST(test_halves_far_apart)
{
	struct predict_item items[3];
	struct scene scene;

	/* Far from each other, and beyond the stretch. */
	scene_begin(&scene, PREDICT_A32, 0x100, 0x40);
	scene_put(&scene, 0x104, 0xe3023345);
	scene_put(&scene, 0x124, 0xe3403002);
	ck_assert_uint_eq(scene_items(&scene, items, 3), 2);
	scene.length = 0x26;
	ck_assert_uint_eq(scene_items(&scene, items, 3), 0);
	scene.at = 0x108;
	scene.length = 0x40;
	ck_assert_uint_eq(scene_items(&scene, items, 3), 0);
	scene_begin(&scene, PREDICT_A32, 0x100, 0x40);
	scene_put(&scene, 0x104, 0xe3023345);
	scene_put(&scene, 0x128, 0xe3403002);
	ck_assert_uint_eq(scene_items(&scene, items, 3), 0);
	/* Another value for the lower half between; an address of nothing. */
	scene_put(&scene, 0x110, 0xe3023345);
	scene_put(&scene, 0x114, 0xe3409902);
	ck_assert_uint_eq(scene_items(&scene, items, 3), 2);
	scene_put(&scene, 0x128, 0xe3403009);
	ck_assert_uint_eq(scene_items(&scene, items, 3), 0);
}
END_TEST

START_TEST(test_t32_code)
{
	struct predict_item items[6];
	struct scene scene;

	scene_begin(&scene, PREDICT_T32, 0x202, 0x40);
	scene.away = 2;
	scene_put(&scene, 0x202, 0xef7ef7ff); /* blx to 0x100 */
	scene_put(&scene, 0x206, 0xa800f43f); /* beq.w */
	scene_put(&scene, 0x20a, 0x4345f242); /* movw r3, #0x2445 */
	scene_put(&scene, 0x20e, 0x0302f2c0); /* movt r3, #2 */
	scene_put(&scene, 0x212, 0xfefef000); /* bl */
	ck_assert_uint_eq(scene_items(&scene, items, 6), 5);
	ck_assert_int_eq(items[0].form, PREDICT_T32_BRANCH_X);
	ck_assert_uint_eq(items[0].target, 0x20100);
	ck_assert_int_eq(items[1].form, PREDICT_T32_BRANCH_IF);
	ck_assert_int_eq(items[2].form, PREDICT_T32_LOWER);
	ck_assert_uint_eq(items[2].target, 0x22445);
	ck_assert_int_eq(items[3].form, PREDICT_T32_UPPER);
	ck_assert_uint_eq(items[3].target, 0x22445);
	ck_assert_int_eq(items[4].form, PREDICT_T32_BRANCH);
	ck_assert_uint_eq(items[4].target, 0x21012);
	/* 0x204 and 0x208 round down to words: the base moves by 4 though the instruction moves by 2. */
	ck_assert_uint_eq(scene_rewritten(&scene, &items[0], 4), 0xef7ef7ff);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[1], 2), items[1].code);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[2], 1), 0x4346f242);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[3], 0x10000), 0x0303f2c0);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[4], 4), 0xfefff000);
}
END_TEST

/* A word that code loads and adds to its PC. */
START_TEST(test_literal)
{
	struct predict_item item;
	struct scene scene;

	scene_begin(&scene, PREDICT_LITERAL | PREDICT_T32, 0x100, 0x80);
	scene.away = 0x20;
	scene_put(&scene, 0x100, 0x46c04904); /* ldr r1, [pc, #16]: from 0x114 */
	scene_put(&scene, 0x104, 0x447946c0); /* add r1, pc at 0x106: counts from 0x2010a */
	scene_put(&scene, 0x114, 0x00013000);
	item = find_item(&scene);
	ck_assert_int_eq(item.form, PREDICT_WORD_FROM);
	ck_assert_uint_eq(item.at, 0x14);
	ck_assert_uint_eq(item.base, 0x2010a);
	ck_assert_uint_eq(item.target, 0x3310a);
	ck_assert_uint_eq(scene_rewritten(&scene, &item, 0), 0x00013000 - 0x20);
	/* Nothing when another register is added, or when it is not one of the image's addresses. */
	scene_put(&scene, 0x104, 0x447a46c0);
	ck_assert_uint_eq(scene_items(&scene, &item, 1), 0);
	scene_put(&scene, 0x104, 0x447946c0);
	scene_put(&scene, 0x114, 0x00033000);
	ck_assert_uint_eq(scene_items(&scene, &item, 1), 0);
}
END_TEST

START_TEST(test_words)
{
	struct predict_item item;
	struct scene scene;

	scene_begin(&scene, PREDICT_ADDRESS, 0x102, 0x10);
	scene_put(&scene, 0x104, 0x33004);
	item = find_item(&scene);
	ck_assert_uint_eq(item.at, 2);
	ck_assert_uint_eq(item.target, 0x33004);
	ck_assert_uint_eq(scene_rewritten(&scene, &item, 12), 0x33010);

	scene_set_kinds(&scene, PREDICT_OFFSET);
	ck_assert_uint_eq(scene_items(&scene, &item, 1), 0);
	scene_put(&scene, 0x104, 0x13004);
	item = find_item(&scene);
	ck_assert_int_eq(item.form, PREDICT_WORD_OFFSET);
	ck_assert_uint_eq(item.target, 0x33004);
	ck_assert_uint_eq(scene_rewritten(&scene, &item, 12), 0x13010);
}
END_TEST

START_TEST(test_small_words)
{
	struct predict_item item;
	struct scene scene;

	/* An image that begins at 0: small numbers are numbers. */
	scene_begin(&scene, PREDICT_ADDRESS, 0x100, 0x10);
	scene.program = (struct predict_program){.low = 0x20000, .end = 0x34000, .bias = 0x20000};
	scene_put(&scene, 0x104, 255);
	ck_assert_uint_eq(scene_items(&scene, &item, 1), 0);
	scene_put(&scene, 0x104, 256);
	ck_assert_uint_eq(find_item(&scene).target, 0x20000 + 256);
	scene_set_kinds(&scene, PREDICT_OFFSET);
	ck_assert_uint_eq(find_item(&scene).target, 0x20000 + 256);
	scene_put(&scene, 0x104, 255);
	ck_assert_uint_eq(scene_items(&scene, &item, 1), 0);
}
END_TEST

START_TEST(test_distances)
{
	struct predict_item item;
	struct scene scene;

	scene_begin(&scene, PREDICT_DISTANCE, 0x1000, 8);
	scene.away = 0x40;
	scene_put(&scene, 0x1000, 0x7ffff800); /* 31 bits, as .ARM.exidx has them: 0x800 back */
	item = find_item(&scene);
	ck_assert_int_eq(item.form, PREDICT_WORD_FROM31);
	ck_assert_uint_eq(item.target, 0x20800);
	ck_assert_uint_eq(scene_rewritten(&scene, &item, 0x44), 0x7ffff804);
	scene_put(&scene, 0x1000, 0xfffff800);
	item = find_item(&scene);
	ck_assert_int_eq(item.form, PREDICT_WORD_FROM);
	ck_assert_uint_eq(item.target, 0x20800);
	ck_assert_uint_eq(scene_rewritten(&scene, &item, 0x44), 0xfffff804);
	scene_put(&scene, 0x1000, 1); /* EXIDX_CANTUNWIND */
	ck_assert_uint_eq(scene_items(&scene, &item, 1), 0);
	scene_put(&scene, 0x1000, 0x80a8b0b0); /* unwinding that is in the table itself */
	ck_assert_uint_eq(scene_items(&scene, &item, 1), 0);
}
END_TEST

START_TEST(test_relocations)
{
	struct predict_item items[3];
	struct scene scene;

	scene_begin(&scene, PREDICT_REL, 0x1000, 16);
	scene_put(&scene, 0x1000, 0x33010);
	scene_put(&scene, 0x1004, 0x01234516);
	scene_put(&scene, 0x1008, 0x99999999);
	scene_put(&scene, 0x100c, 0x17); /* no symbol */
	ck_assert_uint_eq(scene_items(&scene, items, 3), 3);
	ck_assert_int_eq(items[0].form, PREDICT_WORD);
	ck_assert_uint_eq(items[0].target, 0x33010);
	ck_assert_int_eq(items[1].form, PREDICT_SYMBOL);
	ck_assert_uint_eq(items[1].target, 0x12345);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[1], 2), 0x01234716);
	ck_assert_uint_eq(items[2].at, 12);
	/* The table begins in the middle of 8 bytes. */
	scene.at += 4;
	scene.length -= 4;
	scene_set_kinds(&scene, PREDICT_REL_ODD);
	scene_put(&scene, 0x1008, 0x16);
	ck_assert_uint_eq(scene_items(&scene, items, 3), 1);
	ck_assert_int_eq(items[0].form, PREDICT_SYMBOL);
	ck_assert_uint_eq(items[0].at, 4);
}
END_TEST

/* Two programs that both begin with 0: what one says is an address of its own, wherever the other lies. */
START_TEST(test_two_programs)
{
	struct predict_program programs[] = {{.low = 0, .end = 0x1000}, {.low = 0x1000, .end = 0x3000, .bias = 0x1000}};
	struct predict_program others[] = {{.low = 0, .end = 0x2800}, {.low = 0x3100, .end = 0x5000, .bias = 0x3000}};
	struct predict_segment segments[] = {{.offset = 0x100, .length = 0x100, .address = 0x100},
	                                     {.offset = 0x210, .length = 0x100, .address = 0x1010, .program = 1}};
	struct predict_item items[8];
	struct scene scene;

	scene_begin(&scene, PREDICT_ADDRESS, 0xf8, 0x200);
	scene.prediction.old = (struct predict_space){
		.programs = programs, .program_count = 2, .segments = segments, .segment_count = 2};
	scene.prediction.new = scene.prediction.old;
	scene.prediction.new.programs = others;
	scene_put(&scene, 0xfc, 0x804); /* nobody's */
	scene_put(&scene, 0x100, 0x804);
	scene_put(&scene, 0x1fc, 0x1804); /* outside of the first */
	scene_put(&scene, 0x200, 0x804);
	scene_put(&scene, 0x210, 0x1804);
	scene_put(&scene, 0x20c, 0x804);
	ck_assert_uint_eq(scene_items(&scene, items, 8), 2);
	ck_assert_uint_eq(items[0].at, 8);
	ck_assert_uint_eq(items[0].target, 0x804);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[0], 4), 0x808);
	ck_assert_uint_eq(items[1].at, 0x118);
	ck_assert_uint_eq(items[1].place, 0x1010);
	ck_assert_uint_eq(items[1].target, 0x2804);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[1], 0x2008), 0x180c);
	scene_set_kinds(&scene, PREDICT_OFFSET);
	ck_assert_uint_eq(scene_items(&scene, items, 8), 2);
	ck_assert_uint_eq(items[1].target, 0x2804);
	ck_assert_uint_eq(scene_rewritten(&scene, &items[1], 0x2008), 0x170c);
}
END_TEST

/* Items are aligned in memory: where their segments have odd offsets, and from one of these to the next. */
START_TEST(test_odd_offsets)
{
	struct predict_item items[8];
	struct scene scene;

	scene_begin(&scene, PREDICT_ADDRESS | PREDICT_T32, 0x100, 0x200);
	scene.segments[0].offset = 1;
	scene.segments[0].length = 0x1fe;
	scene.segments[1].offset = 0x202;
	scene.segments[1].address = 0x33002;
	scene_put(&scene, 0x111, 0x20204);
	scene_put(&scene, 0x119, 0xf804f000); /* bl to 0x11c + 8 */
	scene_put(&scene, 0x154, 0x20300);    /* at no multiple of 4 */
	scene_put(&scene, 0x204, 0x20408);
	scene_put(&scene, 0x20b, 0x2040c);
	ck_assert_uint_eq(scene_items(&scene, items, 8), 3);
	ck_assert_uint_eq(items[0].at, 0x11);
	ck_assert_uint_eq(items[0].place, 0x20110);
	ck_assert_uint_eq(items[1].at, 0x19);
	ck_assert_int_eq(items[1].form, PREDICT_T32_BRANCH);
	ck_assert_uint_eq(items[1].target, 0x20124);
	ck_assert_uint_eq(items[2].at, 0x104);
	ck_assert_uint_eq(items[2].place, 0x33004);
}
END_TEST

/* An item's kind is that of the block of the new image in which its first byte lies. */
START_TEST(test_kinds_of_blocks)
{
	struct predict_item items[SCENE_SIZE / 4];
	struct scene scene;
	size_t count;

	scene_begin(&scene, 0, 0x20, 0xfe0);
	scene.away = 0x40;
	for (uint64_t at = 0; at < 0x1000; at += 4)
		scene_put(&scene, at, 0x21000);
	scene.kinds[3] = PREDICT_ADDRESS;
	count = scene_items(&scene, items, SCENE_SIZE / 4);
	ck_assert_uint_eq(count, 64);
	ck_assert_uint_eq(items[0].at + scene.at + scene.away, 0x300);
	scene.away = 0x3e; /* words are at old addresses that are multiples of 4 */
	count = scene_items(&scene, items, SCENE_SIZE / 4);
	ck_assert_uint_eq(count, 64);
	ck_assert_uint_eq(items[0].at + scene.at + scene.away, 0x302);
}
END_TEST

Suite *suite_predict(void)
{
	Suite *suite = suite_create("predict");
	TCase *tcase = tcase_create("predict");

	tcase_add_test(tcase, test_addresses);
	tcase_add_test(tcase, test_programs_are_laid_out);
	tcase_add_test(tcase, test_shifts);
	tcase_add_test(tcase, test_indexed_shifts);
	tcase_add_test(tcase, test_a32_code);
	tcase_add_test(tcase, test_halves_far_apart);
	tcase_add_test(tcase, test_t32_code);
	tcase_add_test(tcase, test_literal);
	tcase_add_test(tcase, test_words);
	tcase_add_test(tcase, test_small_words);
	tcase_add_test(tcase, test_distances);
	tcase_add_test(tcase, test_relocations);
	tcase_add_test(tcase, test_two_programs);
	tcase_add_test(tcase, test_odd_offsets);
	tcase_add_test(tcase, test_kinds_of_blocks);
	suite_add_tcase(suite, tcase);
	return suite;
}
