/* SPDX-License-Identifier: Apache-2.0 */
/* Upgrades of two packages: the first one's success is not the end. */
#include "module.h"
#include "suites.h"

#include <string.h>

#define SCRIPT "ui_print(\"x\");"
#define NAME   "update-2.zip"

static const char *const standard[] = {MISC_DEFAULT_ARGUMENT, NULL};
static const size_t misc_sizes[] = {65536, 2048};

static struct module *new_module(size_t misc_size)
{
	struct module *module = module_new_sized(misc_size);

	module_put_part(module, PACKAGE_PATH, SCRIPT, NAME "\n");
	module_arm(module, standard);
	return module;
}

/* A part is installed: the normal system is next, and knows what it shall bring. */
static void check_part(struct module *module)
{
	ck_assert(module_has(module, EFFECT_PATH));
	ck_assert_ptr_null(strstr(module_urcs(module), "END"));
	ck_assert_str_eq(module_text(module, NEXT_PATH), NAME "\n");
	ck_assert_str_eq(module_text(module, STATUS_PATH),
	                 "IP_PREVIOUS_UPDATE_IN_PROGRESS 0\npart: 1 of 2 is installed\nnext: " NAME "\n");
	ck_assert(!module_is_armed(module));
	ck_assert(!module_has(module, COMMAND_PATH));
}

static void check_over(struct module *module, const char *end, const char *status)
{
	ck_assert_ptr_nonnull(strstr(module_urcs(module), end));
	ck_assert(!module_has(module, NEXT_PATH));
	ck_assert(!module_has(module, PERCENT_PATH));
	ck_assert_str_eq(module_status(module), status);
	ck_assert(!module_is_armed(module));
}

START_TEST(test_two_packages)
{
	struct module *module = new_module(misc_sizes[0]);

	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	check_part(module);
	ck_assert(!module_has(module, PACKAGE_PATH));
	ck_assert_ptr_nonnull(strstr(module_text(module, "/cache/recovery/last_log"), "part 1 of 2 is installed"));
	ck_assert_str_eq(module_text(module, "/cache/recovery/last_install"), PACKAGE_PATH "\n1\n");

	module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
	module_arm(module, standard);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	check_over(module, END(0), "IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
	ck_assert_str_eq(module_urcs(module), START UPDATING(0) UPDATING(2) UPDATING(3) UPDATING(5) UPDATING(100)
	                                              START UPDATING(0) UPDATING(3) UPDATING(5) UPDATING(100) END(0));
	ck_assert_uint_eq(module->runs, 2);
	module_free(module);
}
END_TEST

/* The name is durable before the journal says that the part is installed, and both before the package goes. */
START_TEST(test_order)
{
	struct module *module = new_module(misc_sizes[0]);
	unsigned name;

	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	name = module_step(module, "rename to " NEXT_PATH);
	ck_assert_uint_lt(module_step(module, "sync all"), name);
	ck_assert_uint_lt(name, module_step(module, "unlink " PACKAGE_PATH));
	for (unsigned i = 0; i < name; i++) /* begun; and with its status written, the record of its end comes next */
		ck_assert_str_ne(module->steps[i].text, "write /dev/misc 7168");
	(void)module_step(module, "write /dev/misc 7168");
	module_free(module);
}
END_TEST

START_TEST(test_first_cut_anywhere)
{
	bool cut = true;

	for (unsigned step = 1; cut; step++) {
		struct module *module = new_module(misc_sizes[_i]);

		cut = module_boot_cut(module, step);
		module_boot_to_the_end(module);
		check_part(module);
		module_free(module);
	}
}
END_TEST

/* Power went after the second one was armed, so that the normal system could not take back what it waited for. */
START_TEST(test_second_cut_anywhere)
{
	bool cut = true;

	for (unsigned step = 1; cut; step++) {
		struct module *module = module_new_sized(misc_sizes[_i]);

		module_put(module, NEXT_PATH, NAME "\n");
		module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
		module_arm(module, standard);
		cut = module_boot_cut(module, step);
		module_boot_to_the_end(module);
		check_over(module, END(0), "IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
		module_free(module);
	}
}
END_TEST

START_TEST(test_second_refused)
{
	bool cut = true;

	for (unsigned step = 1; cut; step++) {
		struct module *module = module_new();

		module_put(module, NEXT_PATH, NAME "\n");
		module_put_package(module, PACKAGE_PATH, SCRIPT, "00000000000000000000000000000000  system/file\n");
		module_arm(module, standard);
		cut = module_boot_cut(module, step);
		module_boot_to_the_end(module);
		check_over(module, END(503), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 503\n");
		module_free(module);
	}
}
END_TEST

/* A bootloader that erases the command, and power that goes while it is written anew: of the message nothing is left.
 */
START_TEST(test_message_lost_anywhere)
{
	struct misc_message lk = {.status = "OKAY", .recovery = "recovery\n" MISC_DEFAULT_ARGUMENT "\n"};
	struct misc_message blank = {0};
	bool cut = true;

	for (unsigned step = 1; cut; step++) {
		struct module *module = module_new();

		module_put_part(module, PACKAGE_PATH, SCRIPT, NAME);
		module_set_message(module, &lk);
		cut = module_boot_cut(module, step);
		/* Behind the command file the part is over but for the journal, which the normal system looks at. */
		ck_assert(module_has(module, COMMAND_PATH) || module_has(module, NEXT_PATH) ||
		          !module_attempts(module).begun);
		if (module_has(module, COMMAND_PATH)) {
			module_set_message(module, &blank);
			ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
			check_part(module);
		}
		module_free(module);
	}
}
END_TEST

/* A part that cannot say what follows it would leave the module waiting for nothing: it has failed. */
START_TEST(test_no_room_for_the_name)
{
	struct module *module = new_module(misc_sizes[0]);

	module->full_beside = PACKAGE_PATH;
	for (int i = 0; i < RECOVERY_ATTEMPTS_MAX; i++)
		ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, RECOVERY_ATTEMPTS_MAX);
	check_over(module, "\"END\",5", "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 511\n");
	module_free(module);
}
END_TEST

START_TEST(test_wrong_name)
{
	struct module *module = module_new();

	module_put_part(module, PACKAGE_PATH, SCRIPT, "../../etc/passwd");
	module_arm(module, standard);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 0);
	check_over(module, END(504), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 504\n");
	module_free(module);
}
END_TEST

TCase *part_tests(void)
{
	TCase *tests = tcase_create("parts");

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, test_two_packages);
	tcase_add_test(tests, test_order);
	tcase_add_loop_test(tests, test_first_cut_anywhere, 0, 2);
	tcase_add_loop_test(tests, test_second_cut_anywhere, 0, 2);
	tcase_add_test(tests, test_second_refused);
	tcase_add_test(tests, test_message_lost_anywhere);
	tcase_add_test(tests, test_no_room_for_the_name);
	tcase_add_test(tests, test_wrong_name);
	return tests;
}
