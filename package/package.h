/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_PACKAGE_H
#define PACKAGE_PACKAGE_H

/*
 * update.zip: hostile until proven otherwise. The directory is read and checked once; afterwards any entry can be
 * streamed by name, several at once, from any offset, in constant memory.
 *
 * Refused as a whole: no, a broken or an empty central directory, encrypted, multi-disk, zip64 and unknown compression
 * methods, duplicate names, names that are absolute, empty or contain ".." or "." as a part, "//", a backslash, a NUL
 * or another control character, entries below a file or a symbolic link, entries that are neither file, directory nor
 * symbolic link, local headers that contradict the directory, entries that overlap, an archive that does not start with
 * an entry, more entries or more unpacked bytes than the limits allow.
 */
#include "base/error.h"
#include "base/io.h"
#include <stdbool.h>
#include <stdint.h>

#define PACKAGE_NAME_MAX        1024
#define PACKAGE_SCRIPT          "META-INF/com/google/android/updater-script"
#define PACKAGE_PROJECT_VERSION "quectel-project-version" /* of the source */
#define PACKAGE_TARGET_VERSION  "quectel-target-version"  /* the same file of the target; ours alone has it */
#define PACKAGE_ROLLBACK_INDEX  "quectel-rollback-index"  /* see package/rollback.h */
#define PACKAGE_MD5_LIST        "md5.txt"
#define PACKAGE_NEXT            "quectel-next-package" /* of an upgrade in parts: the file name of what follows */
#define PACKAGE_NEXT_SIZE       256                    /* of such a name, with its NUL */

struct package;

struct package_limits {
	uint32_t max_entries;
	uint64_t max_unpacked; /* bytes, of all entries together, as the directory declares them */
};

/* 65,535 entries and 4 GiB: what a module of this class could ever use. */
struct package_limits package_default_limits(void);

enum package_entry_type { PACKAGE_FILE, PACKAGE_DIRECTORY, PACKAGE_SYMLINK };

struct package_entry {
	char name[PACKAGE_NAME_MAX]; /* of a directory without its final slash */
	enum package_entry_type type;
	uint64_t size;        /* bytes, unpacked */
	uint64_t packed_size; /* bytes */
	uint32_t crc32;
	uint32_t mode; /* permission bits when made on Unix, else 0 */
};

/*
 * Read and check the directory. The reader must outlive the package. Codes: RESULT_FORMAT when it is not a (sound)
 * archive, RESULT_UNPACK when it exceeds the limits.
 */
int package_open(const struct reader *zip, const struct package_limits *limits, struct package **package,
                 struct error *error);

/*
 * For a reader that is slow to reach, such as a server: as above, but of the whole archive only its end and its
 * directory are read, front to back from the directory's first byte. A local header is checked when its entry's content
 * is opened, where one that contradicts the directory is -EBADMSG; before that overlaps are found as far as the
 * directory tells.
 */
int package_open_directory(const struct reader *zip, const struct package_limits *limits, struct package **package,
                           struct error *error);
void package_close(struct package *package);

uint32_t package_count(const struct package *package);

/* Entry by index, in the order of the directory. */
int package_entry(struct package *package, uint32_t index, struct package_entry *entry, struct error *error);

/* Index of the entry with this exact name (directories without a final slash). -ENOENT, without a message, when
 * missing. */
int package_find(struct package *package, const char *name, uint32_t *index);

/*
 * The entry's unpacked bytes. The content is valid as long as the package is. Reading to the end checks size and
 * CRC-32: -EBADMSG at the last read when one is wrong. Memory per open stream: about 300 KiB at most.
 */
struct content package_content(struct package *package, uint32_t index);

/* Whole small entry into memory, NUL behind its last byte; -EFBIG above max, -ENOENT. The caller frees *data. */
int package_load(struct package *package, const char *name, size_t max, char **data, size_t *size, struct error *error);

/*
 * The name of the package that follows this one: 1, or 0 and "" when none does. It is the name of a file beside this
 * one: printable ASCII without blanks, '/' and '\', and it begins with no dot. RESULT_FORMAT when it is anything else.
 */
int package_next(struct package *package, char name[PACKAGE_NEXT_SIZE], struct error *error);

/* The same rule for a text, with or without '\n' at its end. -EINVAL. */
int package_parse_next(const char *text, size_t size, char name[PACKAGE_NEXT_SIZE]);

/*
 * What `unzip -tq` does and more: unpack every entry and check its CRC (RESULT_UNPACK), and compare every line of an
 * md5.txt, if there is one, with the entry it names (RESULT_DIGEST; a listed entry that is missing too). progress may
 * be NULL; done and total are packed bytes.
 */
int package_test(struct package *package, void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
                 struct error *error);

/* Largest unpacked entry and the sum of all, bytes. */
uint64_t package_largest_entry(const struct package *package);
uint64_t package_unpacked_size(const struct package *package);

#endif
