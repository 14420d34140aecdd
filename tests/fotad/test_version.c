/* SPDX-License-Identifier: Apache-2.0 */
/* quectel-project-version: what counts as the same build. */
#include "fotad/version.h"
#include "suites.h"

#include <errno.h>
#include <string.h>

#define PLAIN                                                                                                          \
	"Project Name: RG520NNADA_VB\nProject Rev: RG520NNADAR01A01M4G_01.001\nBranch Name: SDX6X\n"                   \
	"Custom Name: STD\nPackage Time: 2022-06-22,15:50\n"

static const char *const same[] = {
	PLAIN,
	/* as real modules have it */
	"Project Name: RG520NNADA_VB\nProject Rev : RG520NNADAR01A01M4G_01.001\nBranch Name:  SDX6X\nCustom Name: STD\n"
	"Package Time: 2022-06-22,15:50\n",
	/* as the application note prints it */
	"Project Name: RG520NNADA_VB\n\nProject Rev: RG520NNADAR01A01M4G_01.001\n\nBranch Name: SDX6X Custom Name: "
	"STD\n\n"
	"Package Time: 2022-06-22,15:50",
	"\r\n Package Time\t:2022-06-22,15:50\r\nProject Name:RG520NNADA_VB \t\r\nCustom  Name:STD\r\nBranch "
	"Name:SDX6X\r\n"
	"project rev:RG520NNADAR01A01M4G_01.001\r\nBuilt by: somebody\r\n",
};

START_TEST(test_same)
{
	struct error error;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		ck_assert_int_eq(version_check(same[_i], same[i], &error), 0);
}
END_TEST

START_TEST(test_different)
{
	static const struct {
		const char *running;
		const char *message;
	} cases[] = {
		{"", "Project Name: the package is for \"RG520NNADA_VB\", this system is \"\""},
		{"Project Name: RG520NNADA\n", "Project Name: the package is for \"RG520NNADA_VB\", this system is "
	                                       "\"RG520NNADA\""},
		{"Project Name: RG520NNADA_VB\nProject Rev: RG520NNADAR01A01M4G_01.002\n",
	         "Project Rev: the package is for \"RG520NNADAR01A01M4G_01.001\", this system is "
	         "\"RG520NNADAR01A01M4G_01.002\""},
		{"Project Name: RG520NNADA_VB\nProject Rev: RG520NNADAR01A01M4G_01.001\nBranch Name: SDX 6X\n",
	         "Branch Name: "},
		{"Project Name: RG520NNADA_VB\nProject Rev: RG520NNADAR01A01M4G_01.001\nBranch Name: SDX6X\nCustom "
	         "Name: STDX\n",
	         "Custom Name: "},
		{"Project Name: RG520NNADA_VB\nProject Rev: RG520NNADAR01A01M4G_01.001\nBranch Name: SDX6X\nCustom "
	         "Name: STD\nPackage Time: 2022-06-22,15:51\n",
	         "Package Time: "},
	};
	struct error error;

	ck_assert_int_eq(version_check(PLAIN, cases[_i].running, &error), -EILSEQ);
	ck_assert_int_eq(error.code, RESULT_PRECHECK);
	ck_assert_int_eq(strncmp(error.message, cases[_i].message, strlen(cases[_i].message)), 0);
}
END_TEST

/* What the package does not say is not asked for; without any label the text itself counts. */
START_TEST(test_few_labels)
{
	ck_assert_int_eq(version_check("Package Time: 2022-06-22,15:50\nsomething", PLAIN, NULL), 0);
	ck_assert_int_eq(version_check("build 7\n", " build  7", NULL), 0);
	ck_assert_int_eq(version_check("build 7\n", "build 8\n", NULL), -EILSEQ);
	ck_assert_int_eq(version_check("build 7\n", "build 77\n", NULL), -EILSEQ);
	ck_assert_int_eq(version_check("build 7\n", PLAIN, NULL), -EILSEQ);
	ck_assert_int_eq(version_check("", "", NULL), 0);
	ck_assert_int_eq(version_check("Package Time:", "Package Time: now", NULL), -EILSEQ);
	ck_assert_int_eq(version_check("Package Time:", "Package Time: \n", NULL), 0);
}
END_TEST

START_TEST(test_get)
{
	static const char *const values[VERSION_FIELDS] = {"RG520NNADA_VB", "RG520NNADAR01A01M4G_01.001", "SDX6X",
	                                                   "STD", "2022-06-22,15:50"};
	char value[64];

	for (unsigned i = 0; i < VERSION_FIELDS; i++) {
		ck_assert(version_get(same[_i], (enum version_field)i, value, sizeof(value)));
		ck_assert_str_eq(value, values[i]);
	}
	ck_assert(!version_get("Project Names: x\nThe Project Name\nProjectName: y", VERSION_PROJECT, value,
	                       sizeof(value)));
	ck_assert_str_eq(value, "");
	ck_assert(version_get("Project Rev: a  b\tc", VERSION_REVISION, value, 5));
	ck_assert_str_eq(value, "a b ");
}
END_TEST

Suite *suite_version(void)
{
	Suite *suite = suite_create("version");
	TCase *tests = tcase_create("version");

	tcase_add_loop_test(tests, test_same, 0, 4);
	tcase_add_loop_test(tests, test_different, 0, 6);
	tcase_add_test(tests, test_few_labels);
	tcase_add_loop_test(tests, test_get, 0, 4);
	suite_add_tcase(suite, tests);
	return suite;
}
