/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The host's own file system below a fresh directory, with a neighbour that nothing may reach. */
struct root {
	char base[64];
	char path[80];
	char secret[80]; /* a file beside the root */
	struct storage *storage;
	struct error error;
};

static void root_open(struct root *root)
{
	FILE *file;

	/* In memory where there is such a place: on a busy disk every sync may take its time. */
	(void)snprintf(root->base, sizeof(root->base), "%s/storage-test-XXXXXX",
	               access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root->base));
	(void)snprintf(root->path, sizeof(root->path), "%s/root", root->base);
	(void)snprintf(root->secret, sizeof(root->secret), "%s/secret", root->base);
	ck_assert_int_eq(mkdir(root->path, 0755), 0);
	file = fopen(root->secret, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs("secret", file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(storage_open_linux(root->path, NULL, NULL, &root->storage, &root->error), 0);
}

static int unlink_entry(void *ctx, const char *path, const struct storage_stat *stat)
{
	char real[PATH_MAX];

	(void)snprintf(real, sizeof(real), "%s%s", (const char *)ctx, path);
	if (path[1] != '\0')
		ck_assert_int_eq(stat->type == STORAGE_DIRECTORY ? rmdir(real) : unlink(real), 0);
	return 0;
}

static void root_close(struct root *root)
{
	char content[16] = "";
	FILE *file = fopen(root->secret, "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(content, sizeof(content), file));
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_str_eq(content, "secret");
	ck_assert_int_eq(storage_walk(root->storage, "/", unlink_entry, root->path, &root->error), 0);
	storage_close(root->storage);
	ck_assert_int_eq(rmdir(root->path), 0);
	ck_assert_int_eq(unlink(root->secret), 0);
	ck_assert_int_eq(rmdir(root->base), 0); /* nothing else appeared beside the root */
}

static void host_link(const struct root *root, const char *target, const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", root->path, name);
	ck_assert_int_eq(symlink(target, path), 0);
}

static bool host_has(const struct root *root, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", root->path, name);
	return lstat(path, &st) == 0;
}

START_TEST(files)
{
	struct storage_name name = named(STORAGE_FILE, "/system/bin/app");
	uint8_t data[100000];
	char *text;
	size_t size;
	uint64_t space;
	struct root r = {0};

	root_open(&r);
	fill(data, sizeof(data), 1);
	ck_assert_int_eq(replace(r.storage, &name, data, sizeof(data), sizeof(data), 999, NULL, &r.error), 0);
	assert_content(r.storage, &name, data, sizeof(data));
	ck_assert(host_has(&r, "system/bin/app"));
	ck_assert(!host_has(&r, "system/bin/.fota-new"));
	ck_assert_int_eq(storage_save(r.storage, "/cache/status", "one", 3, 0640, &r.error), 0);
	ck_assert_int_eq(storage_append(r.storage, "/cache/status", " two", 4, &r.error), 0);
	ck_assert_int_eq(storage_load(r.storage, "/cache/status", 100, &text, &size, &r.error), 0);
	ck_assert_str_eq(text, "one two");
	free(text);
	ck_assert_int_eq(storage_rename(r.storage, "/cache/status", "/system/status", &r.error), 0);
	ck_assert_int_eq(storage_remove(r.storage, "/system/status", &r.error), 0);
	ck_assert_int_eq(storage_remove(r.storage, "/system/status", &r.error), 1);
	ck_assert_int_eq(storage_free_space(r.storage, "/system/nothing/here", &space, &r.error), 0);
	ck_assert_uint_gt(space, 0);
	ck_assert_int_eq(storage_load(r.storage, "/system", 100, &text, &size, &r.error), -EISDIR);
	ck_assert_int_eq(storage_remove_tree(r.storage, "/system", &r.error), 0);
	ck_assert(!host_has(&r, "system"));
	ck_assert_int_eq(storage_sync(r.storage, &r.error), 0);
	root_close(&r);
}
END_TEST

/* A link that a file shall replace may lead nowhere. */
START_TEST(space_behind_links)
{
	char name[400] = "";
	struct root r = {0};
	uint64_t space = 0;

	root_open(&r);
	memset(name, 'n', sizeof(name) - 1);
	ck_assert_int_eq(storage_make_directories(r.storage, "/system", 0755, &r.error), 0);
	ck_assert_int_eq(storage_make_symlink(r.storage, name, "/system/long", &r.error), 0);
	ck_assert_int_eq(storage_make_symlink(r.storage, "loop", "/system/loop", &r.error), 0);
	ck_assert_int_eq(storage_make_symlink(r.storage, "none", "/system/none", &r.error), 0);
	ck_assert_int_eq(storage_free_space(r.storage, "/system/long", &space, &r.error), 0);
	ck_assert_uint_gt(space, 0);
	ck_assert_int_eq(storage_free_space(r.storage, "/system/loop/below", &space, &r.error), 0);
	ck_assert_int_eq(storage_free_space(r.storage, "/system/none", &space, &r.error), 0);
	root_close(&r);
}
END_TEST

START_TEST(wrong_expectation)
{
	struct storage_name name = named(STORAGE_FILE, "/file");
	struct digest_value wrong = digest_of("other", 5, DIGEST_SHA256);
	struct root r = {0};

	root_open(&r);
	ck_assert_int_eq(storage_save(r.storage, "/file", "old", 3, 0600, &r.error), 0);
	ck_assert_int_eq(replace(r.storage, &name, (const uint8_t *)"new", 3, 3, 3, &wrong, &r.error), -EBADMSG);
	assert_content(r.storage, &name, (const uint8_t *)"old", 3);
	ck_assert(!host_has(&r, ".fota-new"));
	root_close(&r);
}
END_TEST

/* Each of these names would lead to the secret beside the root if a link or ".." were followed out of it. */
START_TEST(no_way_out)
{
	char target[PATH_MAX];
	char *text;
	size_t size;
	struct storage_stat stat;
	struct root r = {0};

	root_open(&r);
	host_link(&r, r.secret, "absolute");
	host_link(&r, "../secret", "relative");
	host_link(&r, "../../../../../../../../../../../../../../", "up");
	host_link(&r, r.base, "directory");
	(void)snprintf(target, sizeof(target), "up%s", r.secret);
	host_link(&r, target, "through");
	host_link(&r, "/etc", "conf");
	host_link(&r, "loop", "loop");
	ck_assert_int_eq(storage_load(r.storage, "/absolute", 100, &text, &size, &r.error), -ENOENT);
	ck_assert_int_eq(storage_load(r.storage, "/relative", 100, &text, &size, &r.error), -ENOENT);
	ck_assert_int_eq(storage_load(r.storage, "/up/secret", 100, &text, &size, &r.error), -ENOENT);
	ck_assert_int_eq(storage_load(r.storage, "/directory/secret", 100, &text, &size, &r.error), -ENOENT);
	ck_assert_int_eq(storage_load(r.storage, "/through", 100, &text, &size, &r.error), -ENOENT);
	ck_assert_int_eq(storage_load(r.storage, "/conf/passwd", 1u << 20, &text, &size, &r.error), -ENOENT);
	ck_assert_int_eq(storage_load(r.storage, "/loop", 100, &text, &size, &r.error), -ELOOP);
	ck_assert_int_eq(storage_load(r.storage, "/loop/x", 100, &text, &size, &r.error), -ELOOP);
	ck_assert_int_eq(storage_load(r.storage, "/../secret", 100, &text, &size, &r.error), -EINVAL);
	ck_assert_int_eq(storage_stat_path(r.storage, "/up/x", &stat), -ENOENT);
	/* "/up" is the root itself, so that what is made there lies inside. */
	ck_assert_int_eq(storage_save(r.storage, "/up/made", "x", 1, 0600, &r.error), 0);
	ck_assert(host_has(&r, "made"));
	root_close(&r);
}
END_TEST

START_TEST(no_writing_out)
{
	struct storage_attributes attributes = {.has_mode = true, .mode = 0777};
	struct stat before;
	struct stat after;
	struct root r = {0};

	root_open(&r);
	host_link(&r, r.secret, "link");
	host_link(&r, r.base, "out");
	ck_assert_int_eq(stat(r.secret, &before), 0);
	/* The link itself gives way. */
	ck_assert_int_eq(storage_save(r.storage, "/link", "mine", 4, 0600, &r.error), 0);
	ck_assert_int_eq(storage_remove(r.storage, "/link", &r.error), 0);
	host_link(&r, r.secret, "link");
	ck_assert_int_eq(storage_append(r.storage, "/link", "x", 1, &r.error), -ELOOP);
	ck_assert_int_eq(storage_set_attributes(r.storage, "/link", &attributes, &r.error), 0);
	/* "/out" dangles inside the root. */
	ck_assert_int_lt(storage_save(r.storage, "/out/file", "x", 1, 0600, &r.error), 0);
	ck_assert_int_eq(storage_remove(r.storage, "/out/secret", &r.error), 1);
	ck_assert_int_lt(storage_rename(r.storage, "/link", "/out/x", &r.error), 0);
	ck_assert_int_lt(storage_make_symlink(r.storage, "x", "/out/y", &r.error), 0);
	ck_assert_int_lt(storage_make_directories(r.storage, "/out/z", 0755, &r.error), 0);
	ck_assert_int_eq(storage_remove_tree(r.storage, "/out", &r.error), 0);
	ck_assert_int_eq(stat(r.secret, &after), 0);
	ck_assert_uint_eq(before.st_mode, after.st_mode);
	root_close(&r);
}
END_TEST

START_TEST(absolute_links_stay_inside)
{
	struct storage_name name = named(STORAGE_FILE, "/cache/fota/file");
	struct root r = {0};

	root_open(&r);
	host_link(&r, "/usrdata/cache", "cache");
	ck_assert_int_eq(storage_make_directories(r.storage, "/usrdata/cache/fota", 0755, &r.error), 0);
	ck_assert_int_eq(storage_save(r.storage, "/cache/fota/file", "x", 1, 0600, &r.error), 0);
	ck_assert(host_has(&r, "usrdata/cache/fota/file"));
	assert_content(r.storage, &name, (const uint8_t *)"x", 1);
	root_close(&r);
}
END_TEST

START_TEST(attributes)
{
	struct storage_attributes wanted = {.has_mode = true, .mode = 04711};
	struct storage_stat stat;
	struct root r = {0};

	root_open(&r);
	ck_assert_int_eq(storage_save(r.storage, "/file", "x", 1, 0640, &r.error), 0);
	ck_assert_int_eq(storage_stat_path(r.storage, "/file", &stat), 0);
	ck_assert_int_eq(stat.type, STORAGE_REGULAR);
	ck_assert_uint_eq(stat.mode, 0640);
	ck_assert_uint_eq(stat.size, 1);
	ck_assert_int_eq(storage_set_attributes(r.storage, "/file", &wanted, &r.error), 0);
	wanted = (struct storage_attributes){.has_uid = true, .has_gid = true, .uid = 12, .gid = 34};
	ck_assert_int_eq(storage_set_attributes(r.storage, "/file", &wanted, &r.error), 0);
	ck_assert_int_eq(storage_stat_path(r.storage, "/file", &stat), 0);
	ck_assert_uint_eq(stat.mode, 04711);
	if (geteuid() == 0) { /* others may not give files away, and below a root that is no error */
		ck_assert_uint_eq(stat.uid, 12);
		ck_assert_uint_eq(stat.gid, 34);
	}
	root_close(&r);
}
END_TEST

START_TEST(capabilities)
{
	static const uint8_t expected[20] = {0x01, 0, 0, 0x02, 0x00, 0x10};
	struct storage_attributes wanted = {.has_capabilities = true, .capabilities = 1u << 12};
	struct storage_name copy = named(STORAGE_FILE, "/copy");
	struct storage_writer *writer;
	uint8_t found[64];
	char path[128];
	struct root r = {0};
	int err;

	root_open(&r);
	(void)snprintf(path, sizeof(path), "%s/copy", r.path);
	ck_assert_int_eq(storage_save(r.storage, "/file", "x", 1, 04755, &r.error), 0);
	err = storage_set_attributes(r.storage, "/file", &wanted, &r.error);
	if (err == 0 && geteuid() == 0) {
		ck_assert_int_eq(storage_writer_open(r.storage, &copy, 1, "/file", &writer, &r.error), 0);
		ck_assert_int_eq(storage_writer_write(writer, "x", 1, &r.error), 0);
		ck_assert_int_eq(storage_writer_commit(writer, NULL, &r.error), 0);
		ck_assert_int_eq(lgetxattr(path, "security.capability", found, sizeof(found)), sizeof(expected));
		ck_assert_mem_eq(found, expected, sizeof(expected));
		wanted.capabilities = 0;
		ck_assert_int_eq(storage_set_attributes(r.storage, "/copy", &wanted, &r.error), 0);
		ck_assert_int_eq(storage_set_attributes(r.storage, "/copy", &wanted, &r.error), 0);
		ck_assert_int_lt(lgetxattr(path, "security.capability", found, sizeof(found)), 0);
	} else {
		ck_assert(err == 0 || err == -EOPNOTSUPP); /* a temporary file system may have no such attributes */
	}
	root_close(&r);
}
END_TEST

START_TEST(links)
{
	char target[64];
	struct storage_stat stat;
	struct root r = {0};

	root_open(&r);
	ck_assert_int_eq(storage_save(r.storage, "/sh", "x", 1, 0755, &r.error), 0);
	ck_assert_int_eq(storage_make_symlink(r.storage, "busybox", "/sh", &r.error), 0);
	ck_assert_int_eq(storage_make_symlink(r.storage, "busybox", "/sh", &r.error), 0);
	ck_assert_int_eq(storage_read_link(r.storage, "/sh", target, sizeof(target), &r.error), 0);
	ck_assert_str_eq(target, "busybox");
	ck_assert_int_eq(storage_stat_path(r.storage, "/sh", &stat), 0);
	ck_assert_int_eq(stat.type, STORAGE_SYMLINK);
	ck_assert_int_eq(storage_make_directories(r.storage, "/d", 0755, &r.error), 0);
	ck_assert_int_eq(storage_make_symlink(r.storage, "x", "/d", &r.error), -EISDIR);
	root_close(&r);
}
END_TEST

START_TEST(modes_against_the_umask)
{
	struct storage_stat stat;
	struct root r = {0};
	mode_t old = umask(077);

	root_open(&r);
	ck_assert_int_eq(storage_make_directories(r.storage, "/d", 0755, &r.error), 0);
	ck_assert_int_eq(storage_save(r.storage, "/d/f", "x", 1, 0666, &r.error), 0);
	(void)umask(old);
	ck_assert_int_eq(storage_stat_path(r.storage, "/d", &stat), 0);
	ck_assert_uint_eq(stat.mode, 0755);
	ck_assert_int_eq(storage_stat_path(r.storage, "/d/f", &stat), 0);
	ck_assert_uint_eq(stat.mode, 0666);
	root_close(&r);
}
END_TEST

START_TEST(partitions)
{
	static const enum storage_kind kinds[] = {STORAGE_MTD, STORAGE_UBI, STORAGE_BLOCK};
	static const uint8_t hello[] = {'h', 'e', 'l', 'l', 'o'};
	struct storage_name missing = named(STORAGE_MTD, "nowhere");
	struct storage_name path = named(STORAGE_BLOCK, "/dev/boot");
	struct storage_name folder = named(STORAGE_MTD, "folder");
	uint8_t data[5000];
	uint64_t capacity;
	struct storage_raw_info info;
	struct storage_raw *raw;
	struct root r = {0};

	root_open(&r);
	fill(data, sizeof(data), 3);
	ck_assert_int_eq(storage_save(r.storage, "/dev/boot", data, sizeof(data), 0600, &r.error), 0);
	ck_assert_int_eq(storage_make_directories(r.storage, "/dev/folder", 0755, &r.error), 0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct storage_name name = named(kinds[i], "boot");

		fill(data, sizeof(data), (unsigned)i);
		ck_assert_int_eq(storage_capacity(r.storage, &name, &capacity, &r.error), 0);
		ck_assert_uint_eq(capacity, sizeof(data));
		ck_assert_int_eq(replace(r.storage, &name, data, 4000, 4000, 999, NULL, &r.error), 0);
		assert_content(r.storage, &path, data, 4000);
		ck_assert_int_eq(replace(r.storage, &name, data, 1, sizeof(data) + 1, 999, NULL, &r.error), -ENOSPC);
		assert_content(r.storage, &path, data, 4000);
	}
	ck_assert_int_eq(storage_raw_open(r.storage, "boot", &raw, &info, &r.error), 0);
	ck_assert_int_eq(storage_raw_program(raw, 100, hello, sizeof(hello), &r.error), 0);
	storage_raw_close(raw);
	memcpy(data + 100, hello, sizeof(hello));
	assert_content(r.storage, &path, data, 4000);
	ck_assert_int_eq(storage_capacity(r.storage, &missing, &capacity, &r.error), -ENOENT);
	ck_assert_int_eq(storage_capacity(r.storage, &folder, &capacity, &r.error), -ENODEV);
	root_close(&r);
}
END_TEST

START_TEST(fstab_and_mounts)
{
	static const char text[] = "/data ubifs userdata\n";
	struct storage_name name = named(STORAGE_UBI, "data");
	struct storage *second;
	uint64_t capacity;
	bool mounted;
	struct root r = {0};

	root_open(&r);
	ck_assert_int_eq(storage_save(r.storage, "/etc/recovery.fstab", text, sizeof(text) - 1, 0644, &r.error), 0);
	ck_assert_int_eq(storage_save(r.storage, "/dev/userdata", "12345", 5, 0644, &r.error), 0);
	ck_assert_int_eq(storage_capacity(r.storage, &name, &capacity, &r.error), -ENOENT);
	ck_assert_int_eq(storage_open_linux(r.path, NULL, NULL, &second, &r.error), 0);
	ck_assert_int_eq(storage_capacity(second, &name, &capacity, &r.error), 0);
	ck_assert_int_eq(storage_is_mounted(second, "/data", &mounted, &r.error), 0);
	ck_assert(!mounted);
	ck_assert_int_eq(storage_mount_for(second, "/data/fota/x", &r.error), 0);
	ck_assert_int_eq(storage_is_mounted(second, "/data", &mounted, &r.error), 0);
	ck_assert(mounted);
	ck_assert_int_eq(storage_unmount(second, "/data", &r.error), 0);
	ck_assert_int_eq(storage_unmount(second, "/nowhere", &r.error), -ENOENT);
	storage_close(second);
	ck_assert_int_eq(storage_open_linux(r.path, "/no/such/fstab", NULL, &second, &r.error), 0);
	storage_close(second);
	ck_assert_int_eq(storage_open_linux("/no/such/root", NULL, NULL, &second, &r.error), -ENOENT);
	root_close(&r);
}
END_TEST

START_TEST(odd_files)
{
	char path[128];
	char *text;
	size_t size;
	struct root r = {0};

	root_open(&r);
	(void)snprintf(path, sizeof(path), "%s/fifo", r.path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_lt(storage_load(r.storage, "/fifo", 10, &text, &size, &r.error), 0); /* and does not wait */
	ck_assert_int_lt(storage_append(r.storage, "/fifo", "x", 1, &r.error), 0);
	root_close(&r);
}
END_TEST

START_TEST(running_system)
{
	struct storage_name path = named(STORAGE_FILE, "/proc/self/mounts");
	struct storage_name missing = named(STORAGE_UBI, "no-such-volume");
	struct storage_name device = named(STORAGE_BLOCK, "/dev/null");
	struct storage *storage;
	struct error error;
	uint64_t capacity;
	bool mounted;
	char *text;
	size_t size;

	ck_assert_int_eq(storage_open_linux(NULL, "/no/such/fstab", NULL, &storage, &error), 0);
	ck_assert_int_eq(storage_load(storage, path.name, 1u << 20, &text, &size, &error), 0);
	ck_assert_uint_gt(size, 0);
	free(text);
	ck_assert_int_eq(storage_is_mounted(storage, "/proc", &mounted, &error), 0);
	ck_assert(mounted);
	ck_assert_int_eq(storage_is_mounted(storage, "/proc/self", &mounted, &error), 0);
	ck_assert(!mounted);
	ck_assert_int_eq(storage_is_mounted(storage, "/no/such/place", &mounted, &error), 0);
	ck_assert(!mounted);
	ck_assert_int_eq(storage_capacity(storage, &missing, &capacity, &error), -ENOENT);
	ck_assert_int_eq(storage_capacity(storage, &device, &capacity, &error), -ENODEV);
	storage_close(storage);
}
END_TEST

Suite *suite_root(void)
{
	Suite *suite = suite_create("storage root");
	TCase *tests = tcase_create("root");

	tcase_add_test(tests, files);
	tcase_add_test(tests, space_behind_links);
	tcase_add_test(tests, wrong_expectation);
	tcase_add_test(tests, no_way_out);
	tcase_add_test(tests, no_writing_out);
	tcase_add_test(tests, absolute_links_stay_inside);
	tcase_add_test(tests, attributes);
	tcase_add_test(tests, capabilities);
	tcase_add_test(tests, links);
	tcase_add_test(tests, modes_against_the_umask);
	tcase_add_test(tests, partitions);
	tcase_add_test(tests, fstab_and_mounts);
	tcase_add_test(tests, odd_files);
	tcase_add_test(tests, running_system);
	suite_add_tcase(suite, tests);
	return suite;
}
