/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/journal_file.h"

#include "base/bytes.h"
#include "updater/updater.h"
#include <errno.h>
#include <string.h>

#define CHECK_SIZE   4
#define PAYLOAD_SIZE 32
#define AT_SIZE      8 /* in a payload, behind the key */
#define AT_PROOF     (AT_SIZE + 8)
#define AT_HEX       2 /* in a line, behind letter and blank */
#define AT_CHECK     (AT_HEX + 2 * PAYLOAD_SIZE + 1)

_Static_assert(AT_CHECK + 2 * CHECK_SIZE == JOURNAL_LINE_LENGTH, "a line ends with its check");
_Static_assert(AT_PROOF + JOURNAL_PROOF_SIZE == PAYLOAD_SIZE, "a record fills its payload");
_Static_assert(JOURNAL_IDENTITY == PAYLOAD_SIZE, "an identity fills its payload");

/* ---- The entries ---- */

static struct journal_entry *find(struct journal_file *file, uint64_t key)
{
	unsigned at = file->next;

	for (unsigned i = 0; i < file->count; i++, at++) {
		if (at >= file->count)
			at = 0;
		if (file->entries[at].key == key) {
			file->next = at + 1;
			return &file->entries[at];
		}
	}
	return NULL;
}

const struct journal_entry *journal_file_find(struct journal_file *file, uint64_t key)
{
	return find(file, key);
}

static bool put(struct journal_file *file, const struct journal_entry *entry)
{
	struct journal_entry *place = find(file, entry->key);

	if (!place && file->count < JOURNAL_ENTRIES_MAX)
		place = &file->entries[file->count++];
	if (place)
		*place = *entry;
	return place != NULL;
}

static void drop_partitions(struct journal_file *file)
{
	for (unsigned i = file->count; i > 0; i--) {
		struct journal_entry *entry = &file->entries[i - 1];

		if (entry->partition && !entry->interrupted)
			*entry = file->entries[--file->count];
	}
}

/* ---- Lines ---- */

static void line_check(const char *line, uint8_t check[CHECK_SIZE])
{
	struct digest_value value;
	struct digest digest;

	digest_start(&digest, DIGEST_SHA256);
	digest_add(&digest, line, AT_CHECK - 1);
	digest_finish(&digest, &value);
	memcpy(check, value.bytes, CHECK_SIZE);
}

static void write_hex(char *text, const uint8_t *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
}

static bool read_hex(const char *text, uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool parse_line(const char *line, size_t length, uint8_t payload[PAYLOAD_SIZE])
{
	uint8_t expected[CHECK_SIZE];
	uint8_t check[CHECK_SIZE];

	if (length != JOURNAL_LINE_LENGTH || line[AT_HEX - 1] != ' ' || line[AT_CHECK - 1] != ' ')
		return false;
	line_check(line, expected);
	return read_hex(line + AT_HEX, payload, PAYLOAD_SIZE) && read_hex(line + AT_CHECK, check, CHECK_SIZE) &&
	       memcmp(check, expected, CHECK_SIZE) == 0;
}

static void take_line(struct journal_file *file, const char *line, size_t length)
{
	uint8_t payload[PAYLOAD_SIZE];
	struct journal_entry entry = {0};

	if (length == 0)
		return;
	if (!parse_line(line, length, payload)) {
		drop_partitions(file);
	} else if (*line == 'J') {
		file->count = 0;
		file->begun = memcmp(payload, file->package, PAYLOAD_SIZE) == 0;
	} else if (file->begun && (*line == 'F' || *line == 'R')) {
		entry.key = get_le64(payload);
		memcpy(entry.proof, payload + AT_PROOF, JOURNAL_PROOF_SIZE);
		entry.size = get_le64(payload + AT_SIZE);
		entry.partition = *line == 'R';
		(void)put(file, &entry); /* one too many is hashed */
	} else if (file->begun && *line == 'D') {
		entry = (struct journal_entry){.key = get_le64(payload), .partition = true, .interrupted = true};
		(void)put(file, &entry);
	}
}

/* ---- Reading ---- */

static int read_lines(struct journal_file *file, const struct reader *io)
{
	char line[JOURNAL_LINE_LENGTH + 1]; /* one more than a good line has */
	size_t length = 0;
	char buffer[4096];

	for (uint64_t offset = 0; offset < io->size;) {
		size_t n = io->size - offset < sizeof(buffer) ? (size_t)(io->size - offset) : sizeof(buffer);
		int err = io->read_at(io->ctx, offset, buffer, n);

		if (err < 0)
			return err;
		for (size_t i = 0; i < n; i++) {
			if (buffer[i] == '\n') {
				take_line(file, line, length);
				length = 0;
			} else if (length < sizeof(line)) {
				line[length++] = buffer[i];
			}
		}
		offset += n;
	}
	if (length > 0) {
		drop_partitions(file);
		file->held[file->held_length++] = '\n'; /* or the next line would be taken for the rest of this one */
	}
	return 0;
}

void journal_file_load(struct journal_file *file)
{
	const struct storage_name name = {.kind = STORAGE_FILE, .name = UPDATER_JOURNAL};
	struct storage_reader *reader;
	struct error error;
	struct reader io;
	int err = storage_reader_open(file->storage, &name, &reader, &error);

	if (err < 0) {
		if (err != -ENOENT)
			log_printf(file->log, "%s", error.message);
		return;
	}
	io = storage_reader_io(reader);
	file->size = io.size;
	if (io.size > JOURNAL_SIZE_MAX) {
		log_printf(file->log, "%s: too large, it is not used", UPDATER_JOURNAL);
		file->closed = true;
	} else {
		err = read_lines(file, &io);
	}
	if (err < 0) {
		log_printf(file->log, "%s: %s", UPDATER_JOURNAL, strerror(-err));
		file->count = 0;
		file->begun = false;
	}
	storage_reader_close(reader);
}

/* ---- Writing ---- */

void journal_file_write(struct journal_file *file)
{
	struct error error;

	if (file->closed || file->held_length == 0)
		return;
	if (storage_append_durable(file->storage, UPDATER_JOURNAL, file->held, file->held_length, &error) < 0) {
		log_printf(file->log, "%s; what is finished is not recorded any more", error.message);
		file->closed = true;
	}
	file->size += file->held_length;
	file->held_length = 0;
}

static void add_line(struct journal_file *file, char letter, const uint8_t payload[PAYLOAD_SIZE])
{
	const size_t length = JOURNAL_LINE_LENGTH + 1;
	uint8_t check[CHECK_SIZE];
	char *line;

	if (file->held_length + length > sizeof(file->held))
		journal_file_write(file);
	if (file->size + file->held_length + length > JOURNAL_SIZE_MAX) {
		journal_file_write(file);
		file->closed = true;
	}
	if (file->closed)
		return;
	line = file->held + file->held_length;
	line[0] = letter;
	line[AT_HEX - 1] = line[AT_CHECK - 1] = ' ';
	write_hex(line + AT_HEX, payload, PAYLOAD_SIZE);
	line_check(line, check);
	write_hex(line + AT_CHECK, check, CHECK_SIZE);
	line[JOURNAL_LINE_LENGTH] = '\n';
	file->held_length += length;
}

void journal_file_begin(struct journal_file *file)
{
	add_line(file, 'J', file->package);
	journal_file_write(file);
	file->count = 0;
	file->begun = !file->closed;
}

void journal_file_add(struct journal_file *file, const struct journal_entry *entry)
{
	uint8_t payload[PAYLOAD_SIZE];

	if (!put(file, entry))
		return;
	put_le64(payload, entry->key);
	put_le64(payload + AT_SIZE, entry->size);
	memcpy(payload + AT_PROOF, entry->proof, JOURNAL_PROOF_SIZE);
	add_line(file, entry->partition ? 'R' : 'F', payload);
}

static void add_interrupted(struct journal_file *file, uint64_t key)
{
	struct journal_entry entry = {.key = key, .partition = true, .interrupted = true};
	uint8_t payload[PAYLOAD_SIZE] = {0};

	(void)put(file, &entry);
	put_le64(payload, key);
	add_line(file, 'D', payload);
}

static void write_interrupted(struct journal_file *file)
{
	struct error error;

	journal_file_write(file);
	if (file->closed && storage_remove(file->storage, UPDATER_JOURNAL, &error) < 0)
		log_printf(file->log, "%s", error.message);
}

void journal_file_interrupt(struct journal_file *file, uint64_t key)
{
	const struct journal_entry *known = find(file, key);

	if (!file->begun || (known && known->interrupted))
		return;
	add_interrupted(file, key);
	write_interrupted(file);
}

void journal_file_drop_all(struct journal_file *file)
{
	bool found = false;

	for (unsigned i = 0; i < file->count; i++) {
		if (!file->entries[i].partition || file->entries[i].interrupted)
			continue;
		add_interrupted(file, file->entries[i].key);
		found = true;
	}
	if (found)
		write_interrupted(file);
}
