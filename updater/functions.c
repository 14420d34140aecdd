/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/functions.h"

#define ANY SCRIPT_NO_LIMIT

/* Argument counts cover both dialects of the generators: mount, format and symlink grew arguments over the years. */
static const struct script_function functions[] = {
	{"apply_patch", 6, ANY, SCRIPT_EVEN_COUNT, function_apply_patch},
	{"apply_patch_check", 1, ANY, SCRIPT_ANY_COUNT, function_apply_patch_check},
	{"apply_patch_space", 1, 1, SCRIPT_ANY_COUNT, function_apply_patch_space},
	{"delete", 0, ANY, SCRIPT_ANY_COUNT, function_delete},
	{"delete_recursive", 0, ANY, SCRIPT_ANY_COUNT, function_delete_recursive},
	{"enable_reboot", 0, 0, SCRIPT_ANY_COUNT, function_enable_reboot},
	{"file_getprop", 2, 2, SCRIPT_ANY_COUNT, function_file_getprop},
	{"format", 4, 5, SCRIPT_ANY_COUNT, function_format},
	{"get_stage", 1, 1, SCRIPT_ANY_COUNT, function_get_stage},
	{"getprop", 1, 1, SCRIPT_ANY_COUNT, function_getprop},
	{"hard_link", 2, ANY, SCRIPT_ANY_COUNT, function_hard_link},
	{"is_directory", 1, 1, SCRIPT_ANY_COUNT, function_is_directory},
	{"is_mounted", 1, 1, SCRIPT_ANY_COUNT, function_is_mounted},
	{"keep_only", 2, 2, SCRIPT_ANY_COUNT, function_keep_only},
	{"make_node", 4, 4, SCRIPT_ANY_COUNT, function_make_node},
	{"mount", 4, 5, SCRIPT_ANY_COUNT, function_mount},
	{"package_extract_dir", 2, 2, SCRIPT_ANY_COUNT, function_package_extract_dir},
	{"package_extract_file", 1, 2, SCRIPT_ANY_COUNT, function_package_extract_file},
	{"read_file", 1, 1, SCRIPT_ANY_COUNT, function_read_file},
	{"reboot_now", 2, 2, SCRIPT_ANY_COUNT, function_reboot_now},
	{"rename", 2, 2, SCRIPT_ANY_COUNT, function_rename},
	{"retouch_binaries", 0, ANY, SCRIPT_ANY_COUNT, function_retouch_binaries},
	{"run_program", 1, ANY, SCRIPT_ANY_COUNT, function_run_program},
	{"separate", 2, ANY, SCRIPT_ANY_COUNT, function_separate},
	{"set_metadata", 3, ANY, SCRIPT_ODD_COUNT, function_set_metadata},
	{"set_metadata_recursive", 3, ANY, SCRIPT_ODD_COUNT, function_set_metadata_recursive},
	{"set_perm", 4, ANY, SCRIPT_ANY_COUNT, function_set_perm},
	{"set_perm_recursive", 5, ANY, SCRIPT_ANY_COUNT, function_set_perm_recursive},
	{"set_progress", 1, 1, SCRIPT_ANY_COUNT, function_set_progress},
	{"set_stage", 2, 2, SCRIPT_ANY_COUNT, function_set_stage},
	{"set_xattr", 3, 3, SCRIPT_ANY_COUNT, function_set_xattr},
	{"sha1_check", 1, ANY, SCRIPT_ANY_COUNT, function_sha1_check},
	{"show_progress", 2, 2, SCRIPT_ANY_COUNT, function_show_progress},
	{"symlink", 1, ANY, SCRIPT_ANY_COUNT, function_symlink},
	{"sync", 0, 0, SCRIPT_ANY_COUNT, function_sync},
	{"tune2fs", 2, ANY, SCRIPT_ANY_COUNT, function_tune2fs},
	{"ui_print", 0, ANY, SCRIPT_ANY_COUNT, function_ui_print},
	{"unmount", 1, 1, SCRIPT_ANY_COUNT, function_unmount},
	{"wipe_block_device", 2, 2, SCRIPT_ANY_COUNT, function_wipe_block_device},
	{"wipe_cache", 0, 0, SCRIPT_ANY_COUNT, function_wipe_cache},
	{"write_raw_image", 2, 2, SCRIPT_ANY_COUNT, function_write_raw_image},
};

struct script_functions updater_functions(void)
{
	return (struct script_functions){.list = functions, .count = sizeof(functions) / sizeof(functions[0])};
}
