/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAKE_MEDIUM_H
#define TESTS_FAKE_MEDIUM_H

/*
 * A medium in memory for unit tests: a file tree, raw NAND that can only be programmed once per page after an erase,
 * UBI volumes with an update marker; a log of calls, and rules that make a call fail or damage what it stores. No crash
 * semantics: that is the simulator's (tests/powercut).
 */
#include "storage/storage.h"

struct fake_node {
	char path[256];
	struct storage_stat stat;
	uint8_t *data; /* a file's content, a link's target */
	struct {
		char name[64];
		uint8_t value[64];
		size_t size;
	} xattr[4];
};

struct fake_nand {
	char name[32];
	struct storage_mtd_info info;
	uint8_t *data;
	bool *programmed; /* per page */
	bool *unreadable; /* per page: ECC cannot correct; an erase heals */
	bool *bad;        /* per block */
};

struct fake_volume {
	char name[32];
	struct storage_ubi_info info;
	uint8_t *data;
	uint64_t announced; /* bytes of the running update */
	uint64_t received;
	bool updating;
};

#define FAKE_CORRUPT 1 /* a rule's result: the call succeeds, but its first byte is stored wrong */

struct fake_rule {
	char call[128];
	unsigned skip;
	unsigned count;
	int result;
};

struct fake_handle {
	enum { FAKE_CLOSED, FAKE_FILE, FAKE_NAND, FAKE_VOLUME } kind;
	int index; /* of node, nand or volume */
	enum storage_open_mode mode;
};

struct fake_medium {
	struct fake_node *node[512];
	struct fake_nand nand[4];
	struct fake_volume volume[4];
	struct fake_handle handle[16];
	struct fake_rule rule[8];
	int nodes, nands, volumes, rules;
	uint64_t free_bytes;
	char log[65536]; /* one call per line */
	size_t log_length;
};

extern const struct storage_ops fake_ops;

struct fake_medium *fake_medium_new(void); /* with the directories / and /res */
void fake_medium_free(struct fake_medium *medium);
int fake_open_handles(const struct fake_medium *medium);

/* Parents are made. NULL when there is no room. */
struct fake_node *fake_add_file(struct fake_medium *medium, const char *path, const void *data, size_t size);
struct fake_node *fake_find(struct fake_medium *medium, const char *path);
struct fake_nand *fake_add_nand(struct fake_medium *medium, const char *name, uint32_t blocks, uint32_t erase_size,
                                uint32_t page_size);
struct fake_volume *fake_add_volume(struct fake_medium *medium, const char *name, uint32_t lebs, uint32_t leb_size,
                                    bool is_static);

/*
 * From now on, after `skip` calls that match, the next `count` end with result: a negative errno value, or
 * FAKE_CORRUPT. A call is its line in the log or the first words of it, "" any. The lines: create|append PATH,
 * read|write PATH OFFSET LENGTH, sync|unlink|rmdir|syncdir PATH, rename FROM TO, mkdir PATH MODE, symlink PATH TARGET,
 * link PATH FIRST, mknod PATH MAJOR MINOR, * owner PATH UID GID, mode PATH MODE, xattr PATH NAME SIZE, syncall, mount
 * POINT TYPE DEVICE OPTIONS, unmount POINT, erase|program|mtdread|markbad NAND 0xOFFSET, update VOLUME BYTES, ubiwrite
 * VOLUME LENGTH, change VOLUME LEB LENGTH
 */
void fake_rule(struct fake_medium *medium, const char *call, unsigned skip, unsigned count, int result);

/* Enter a call into the log; what a rule says, else 0. For further operations of a test's own. */
int fake_call(struct fake_medium *medium, const char *format, ...) __attribute__((format(printf, 2, 3)));

void fake_clear_log(struct fake_medium *medium);
bool fake_has_call(const struct fake_medium *medium, const char *call); /* whole lines, or their first words */

#endif
