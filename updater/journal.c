/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/journal.h"

#include "base/bytes.h"
#include "updater/evidence.h"
#include "updater/journal_file.h"
#include "updater/updater.h"
#include <stdlib.h>
#include <string.h>

#define WRITE_EACH (256u << 10) /* bytes of finished objects that a cut may make the next run read again */

struct journal {
	uint64_t unwritten; /* bytes of finished objects since the file was written */
	uint64_t read;
	struct journal_file file;
};

/* A file by its path with or without the first slash; a partition by its name, whatever the type it is asked for as. */
static uint64_t make_key(const struct storage_name *name)
{
	bool is_file = name->kind == STORAGE_FILE;
	const char *text = is_file && *name->name == '/' ? name->name + 1 : name->name;
	struct digest_value value;
	struct digest digest;

	digest_start(&digest, DIGEST_SHA256);
	digest_add(&digest, is_file ? "F" : "R", 1);
	digest_add(&digest, text, strlen(text));
	digest_finish(&digest, &value);
	return get_le64(value.bytes);
}

static void make_proof(struct journal_entry *entry, const struct digest_value *content,
                       const struct digest_value *evidence)
{
	uint8_t number[8];
	struct digest_value value;
	struct digest digest;

	digest_start(&digest, DIGEST_SHA256);
	put_le64(number, entry->key);
	digest_add(&digest, number, sizeof(number));
	put_le64(number, (uint64_t)content->kind);
	digest_add(&digest, number, sizeof(number));
	digest_add(&digest, content->bytes, digest_size(content->kind));
	put_le64(number, entry->size);
	digest_add(&digest, number, sizeof(number));
	digest_add(&digest, evidence->bytes, digest_size(evidence->kind));
	digest_finish(&digest, &value);
	memcpy(entry->proof, value.bytes, JOURNAL_PROOF_SIZE);
}

static int package_identity(struct package *package, uint8_t identity[JOURNAL_IDENTITY], struct error *error)
{
	struct digest_value value;
	struct digest digest;
	int err = 0;

	digest_start(&digest, DIGEST_SHA256);
	for (uint32_t i = 0; err == 0 && i < package_count(package); i++) {
		err = journal_entry_digest(package, i, &value, error);
		digest_add(&digest, value.bytes, sizeof(value.bytes));
	}
	digest_finish(&digest, &value);
	memcpy(identity, value.bytes, JOURNAL_IDENTITY);
	return err;
}

int journal_entry_digest(struct package *package, uint32_t index, struct digest_value *value, struct error *error)
{
	struct package_entry entry;
	struct digest digest;
	uint8_t numbers[16];
	int err = package_entry(package, index, &entry, error);

	if (err < 0)
		return err;
	digest_start(&digest, DIGEST_SHA256);
	put_le64(numbers, entry.size);
	put_le32(numbers + 8, entry.crc32);
	put_le32(numbers + 12, (uint32_t)entry.type);
	digest_add(&digest, numbers, sizeof(numbers));
	digest_add(&digest, entry.name, strlen(entry.name));
	digest_finish(&digest, value);
	return 0;
}

struct journal *journal_open(struct storage *storage, struct package *package, bool resume, const struct log *log)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	struct error error;

	if (journal && package_identity(package, journal->file.package, &error) < 0) {
		log_printf(log, "%s", error.message);
		free(journal);
		journal = NULL;
	}
	/* Nobody would drop from it what this run changes. */
	if (!journal)
		resume = false;
	if (!resume && storage_remove(storage, UPDATER_JOURNAL, &error) < 0)
		log_printf(log, "%s", error.message);
	if (!journal)
		return NULL;
	journal->file.storage = storage;
	journal->file.log = log;
	if (resume)
		journal_file_load(&journal->file);
	return journal;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	journal_file_write(&journal->file);
	log_printf(journal->file.log, "read %llu bytes to see what objects hold", (unsigned long long)journal->read);
	free(journal);
}

void journal_begin(struct journal *journal)
{
	if (journal && !journal->file.begun && !journal->file.closed)
		journal_file_begin(&journal->file);
}

bool journal_vouches(struct journal *journal, const struct storage_name *name, const struct digest_value *const *wanted,
                     unsigned count, uint64_t *size)
{
	struct journal_entry object = {0};
	struct digest_value evidence;
	const struct journal_entry *known;

	if (!journal)
		return false;
	object.key = make_key(name);
	known = journal_file_find(&journal->file, object.key);
	if (!known || known->interrupted)
		return false;
	object.size = known->size;
	if (evidence_take(journal->file.storage, name, known->size, &evidence, &journal->read) < 0)
		return false;
	for (unsigned i = 0; i < count; i++) {
		make_proof(&object, wanted[i], &evidence);
		if (memcmp(object.proof, known->proof, JOURNAL_PROOF_SIZE) == 0) {
			*size = known->size;
			return true;
		}
	}
	return false;
}

/* By the name of a device an object cannot be told from others on record. */
static bool is_anonymous(const struct storage_name *name)
{
	return name->kind != STORAGE_FILE && *name->name == '/';
}

void journal_record(struct journal *journal, const struct storage_name *name, const struct digest_value *digest,
                    uint64_t size)
{
	struct journal_entry entry = {.size = size, .partition = name->kind != STORAGE_FILE};
	const struct journal_entry *known;
	struct digest_value evidence;

	if (!journal || !journal->file.begun || journal->file.closed || is_anonymous(name) ||
	    evidence_take(journal->file.storage, name, size, &evidence, &journal->read) < 0)
		return;
	entry.key = make_key(name);
	make_proof(&entry, digest, &evidence);
	known = journal_file_find(&journal->file, entry.key);
	if (known && !known->interrupted && memcmp(known->proof, entry.proof, JOURNAL_PROOF_SIZE) == 0)
		return;
	journal_file_add(&journal->file, &entry);
	journal->unwritten += size;
	if (entry.partition || journal->unwritten >= WRITE_EACH) {
		journal_file_write(&journal->file);
		journal->unwritten = 0;
	}
}

void journal_forget_partitions(struct journal *journal)
{
	if (journal)
		journal_file_drop_all(&journal->file);
}

void journal_begin_write(struct journal *journal, const struct storage_name *name)
{
	if (!journal || name->kind == STORAGE_FILE)
		return;
	if (is_anonymous(name))
		journal_file_drop_all(&journal->file);
	else
		journal_file_interrupt(&journal->file, make_key(name));
}

bool journal_is_interrupted(struct journal *journal, const struct storage_name *name)
{
	const struct journal_entry *known = journal ? journal_file_find(&journal->file, make_key(name)) : NULL;

	return known && known->interrupted;
}

void journal_count(struct journal *journal, uint64_t bytes)
{
	if (journal)
		journal->read += bytes;
}
