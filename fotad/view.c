/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FSTAB_MAX 65536 /* bytes */
#define DIGITS    "0123456789"
#define WORD      256 /* of a line of the fstab or of mountinfo */

/* All relative paths below are in the view, which is the working directory. */

static int fail(struct error *error, const char *what)
{
	return error_set(error, RESULT_ABNORMAL, errno, "rehearsal: %s: %s", what, strerror(errno));
}

/* ---- Pieces ---- */

/* With its parents; a path that is there already is no failure. */
static int make_directories(const char *path, struct error *error)
{
	char at[WORD];

	for (size_t i = 1; path[i - 1]; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		(void)snprintf(at, sizeof(at), "%.*s", (int)i, path);
		if (mkdir(at, 0755) < 0 && errno != EEXIST)
			return fail(error, at);
	}
	return 0;
}

static int bind_read_only(const char *from, const char *at, struct error *error)
{
	if (mount(from, at, NULL, MS_BIND, NULL) < 0)
		return fail(error, from);
	if (mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOATIME, NULL) < 0)
		return fail(error, at);
	return 0;
}

static int show_package(const char *package, struct error *error)
{
	int fd = open(&VIEW_PACKAGE[1], O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail(error, VIEW_PACKAGE);
	(void)close(fd); /* a name to mount over */
	return bind_read_only(package, &VIEW_PACKAGE[1], error);
}

static int make_links(struct error *error)
{
	static const char *const links[][2] = {{"usrdata/cache", "cache"},
	                                       {"system/bin", "bin"},
	                                       {"system/lib", "lib"},
	                                       {"system/lib64", "lib64"},
	                                       {"system/usr", "usr"}};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]) < 0)
			return fail(error, links[i][1]);
	return 0;
}

static int make_frame(struct error *error)
{
	static const char *const directories[] = {"system", "usrdata", "dev", "proc", "sys", "tmp", "res"};

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (mkdir(directories[i], 0755) < 0)
			return fail(error, directories[i]);
	if (mount("/dev", "dev", NULL, MS_BIND, NULL) < 0)
		return fail(error, "/dev");
	if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return fail(error, "/proc");
	if (mount("sysfs", "sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return fail(error, "/sys");
	return make_links(error);
}

/* ---- The fstab ---- */

/* The whole file; NULL without an errno when there is none. */
static char *load_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size;

	if (!file) {
		errno = errno == ENOENT ? 0 : errno;
		return NULL;
	}
	text = malloc(FSTAB_MAX + 1);
	size = text ? fread(text, 1, FSTAB_MAX + 1, file) : 0;
	if (text && (ferror(file) || size > FSTAB_MAX)) {
		free(text);
		text = NULL;
		errno = EFBIG;
	}
	if (text)
		text[size] = '\0';
	(void)fclose(file); /* only read: nothing to lose */
	return text;
}

static int load_fstab(const char *path, char **text, struct error *error)
{
	static const char *const places[] = {"/res/recovery.fstab", "/etc/recovery.fstab"};
	size_t count = path ? 1 : sizeof(places) / sizeof(places[0]);

	*text = NULL;
	for (size_t i = 0; i < count && !*text; i++) {
		*text = load_text(path ? path : places[i]);
		if (!*text && errno)
			return fail(error, path ? path : places[i]);
	}
	return 0;
}

static int save_fstab(const char *text, struct error *error)
{
	FILE *file = fopen("res/recovery.fstab", "we");
	bool written;

	if (!file)
		return fail(error, "recovery.fstab");
	written = fputs(text, file) >= 0;
	written = fclose(file) == 0 && written;
	return written ? 0 : fail(error, "recovery.fstab");
}

/* ---- What is mounted where ---- */

static bool read_volume_name(const char *id, char *name, size_t size)
{
	char path[WORD + 32];
	FILE *file;
	bool read;

	(void)snprintf(path, sizeof(path), "sys/class/ubi/%s/name", id);
	file = fopen(path, "re");
	if (!file)
		return false;
	read = fgets(name, (int)size, file) != NULL;
	name[strcspn(name, "\n")] = '\0';
	(void)fclose(file); /* only read: nothing to lose */
	return read;
}

static bool is_volume_id(const char *text)
{
	size_t device = strncmp(text, "ubi", 3) == 0 ? strspn(text + 3, DIGITS) : 0;
	size_t volume = device && text[3 + device] == '_' ? strspn(text + 4 + device, DIGITS) : 0;

	return volume && text[4 + device + volume] == '\0';
}

/*
 * "ubi0_1", of what mount(8), the kernel and the fstab write for it: "/dev/ubi0_1", "ubi0:name", "ubi:name", "name".
 * False when there is no such volume.
 */
static bool find_volume(const char *text, char id[WORD])
{
	const char *name = strncmp(text, "/dev/", 5) == 0 ? text + 5 : text;
	const char *colon = strpbrk(name, ":!");
	size_t device = colon && strncmp(name, "ubi", 3) == 0 && colon > name + 3 ? (size_t)(colon - name) : 0;
	struct dirent *entry;
	char found[WORD];
	bool same = false;
	DIR *volumes;

	if (is_volume_id(name)) {
		(void)snprintf(id, WORD, "%s", name);
		return true;
	}
	volumes = opendir("sys/class/ubi");
	while (volumes && !same && (entry = readdir(volumes))) {
		(void)snprintf(id, WORD, "%s", entry->d_name);
		same = is_volume_id(id) && (device == 0 || (strncmp(id, name, device) == 0 && id[device] == '_')) &&
		       read_volume_name(id, found, sizeof(found)) && strcmp(found, colon ? colon + 1 : name) == 0;
	}
	if (volumes)
		(void)closedir(volumes); /* only read: nothing to lose */
	return same;
}

static bool is_same_device(const char *device, const char *source)
{
	char ids[2][WORD];

	return strcmp(device, source) == 0 ||
	       (find_volume(device, ids[0]) && find_volume(source, ids[1]) && strcmp(ids[0], ids[1]) == 0);
}

/* A line of mountinfo (proc(5)): is the whole of this device mounted there? */
static bool parse_mount(const char *line, const char *device, char point[WORD])
{
	const char *rest = strstr(line, " - ");
	char root[WORD];
	char source[WORD];

	return rest && sscanf(line, "%*s %*s %*s %255s %255s", root, point) == 2 &&
	       sscanf(rest, " - %*s %255s", source) == 1 && strcmp(root, "/") == 0 && is_same_device(device, source);
}

static bool find_mount(const char *device, char point[WORD])
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	char *line = NULL;
	size_t room = 0;

	while (mounts && !found && getline(&line, &room, mounts) >= 0)
		found = parse_mount(line, device, point);
	free(line);
	if (mounts)
		(void)fclose(mounts); /* only read: nothing to lose */
	return found;
}

/* In what is shown read-only a directory is there or is not; elsewhere recovery makes it. */
static int show_volume(const char *mount_point, const char *device, struct error *error)
{
	const char *at = mount_point + 1;
	char point[WORD];
	struct stat stat;
	int err = 0;

	if (*mount_point != '/' || strstr(mount_point, "..") || strcmp(at, "system") == 0 || strcmp(at, "usrdata") == 0)
		return 0;
	if (strncmp(at, "system/", 7) != 0 && strncmp(at, "usrdata/", 8) != 0)
		err = make_directories(at, error);
	if (!err && lstat(at, &stat) == 0 && S_ISDIR(stat.st_mode) && find_mount(device, point))
		err = bind_read_only(point, at, error);
	return err;
}

/* Cuts the text apart. */
static int show_volumes(char *fstab, struct error *error)
{
	char words[2][WORD];
	char *line;
	int err = 0;

	while (!err && (line = strsep(&fstab, "\n")))
		if (sscanf(line, "%255s %*s %255s", words[0], words[1]) == 2)
			err = show_volume(words[0], words[1], error);
	return err;
}

static int show_fstab(const char *path, struct error *error)
{
	char *text;
	int err = load_fstab(path, &text, error);

	if (err < 0 || !text)
		return err;
	err = save_fstab(text, error);
	if (!err)
		err = show_volumes(text, error);
	free(text);
	return err;
}

/* ---- All of it ---- */

static int build(const struct view *view, struct error *error)
{
	struct stat stat;
	int err = make_frame(error);

	if (!err)
		err = bind_read_only("/", "system", error);
	if (!err && lstat("/usrdata", &stat) == 0)
		err = bind_read_only("/usrdata", "usrdata", error);
	if (!err)
		err = show_package(view->package, error);
	return err ? err : show_fstab(view->fstab, error);
}

int view_enter(const struct view *view, struct error *error)
{
	int err;

	if (unshare(CLONE_NEWNS) < 0)
		return fail(error, "a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail(error, "a private mount namespace");
	if (mount("tmpfs", view->directory, "tmpfs", MS_NOSUID, "mode=0755,size=1m") < 0 || chdir(view->directory) < 0)
		return fail(error, view->directory);
	err = build(view, error);
	if (err < 0)
		return err;
	return chroot(".") < 0 || chdir("/") < 0 ? fail(error, view->directory) : 0;
}
