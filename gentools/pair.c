/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/pair.h"

#include "gentools/encrypt.h"
#include "gentools/minimal.h"
#include "gentools/pack.h"
#include "gentools/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST, SECOND, BOTH };

struct pair {
	struct plan *plan;
	const struct verify_inputs *trees;
	const struct gen_options *options;
	const struct signer *signer;
	const char *names[BOTH]; /* what they will be called */
	char *parts[BOTH];       /* and are called until they are right */
	char *second;            /* name of the second one */
};

static int name_pair(struct pair *pair, struct error *error)
{
	int err = minimal_second_name(pair->options->output, &pair->second, error);

	pair->names[FIRST] = pair->options->output;
	pair->names[SECOND] = pair->second;
	for (int i = 0; err == 0 && i < BOTH; i++)
		err = place_begin(pair->names[i], &pair->parts[i], error);
	return err < 0 ? err : pack_check_output(pair->names[SECOND], pair->options, error);
}

/* Sign what was written, and see how large it will be in the end. */
static int finish(const struct pair *pair, int which, uint64_t *size, struct error *error)
{
	const char *path = pair->parts[which];
	int err = pair->signer ? signer_sign(pair->signer, path, path, error) : 0;

	return err < 0 ? err : pack_measure(path, pair->options, size, error);
}

/* What entries take in an archive is known when it is written: try, and take so much less. */
static int write_first(const struct pair *pair, uint64_t *size, struct error *error)
{
	const struct gen_options *options = pair->options;
	uint64_t limit = options->limits.package;
	uint64_t bytes = limit;
	int err;

	for (;;) {
		err = minimal_split(pair->plan, bytes, error);
		if (err == 0)
			err = minimal_write_first(pair->plan, pair->trees->source, pair->parts[FIRST],
			                          pair->names[SECOND], options->has_time ? &options->time : NULL,
			                          error);
		if (err == 0)
			err = finish(pair, FIRST, size, error);
		if (err < 0 || *size <= limit)
			return err;
		if (*size - limit >= bytes)
			return error_set(error, 0, EFBIG,
			                 "%s: takes %llu bytes without anything in it, --max-package allows %llu",
			                 pair->names[FIRST], (unsigned long long)*size, (unsigned long long)limit);
		bytes -= *size - limit;
	}
}

static int write_second(const struct pair *pair, uint64_t *size, struct error *error)
{
	uint64_t limit = pair->options->limits.package;
	int err = pack_plan(pair->plan, pair->trees, pair->options, pair->parts[SECOND], error);

	if (err == 0)
		err = finish(pair, SECOND, size, error);
	if (err < 0 || *size <= limit)
		return err;
	return error_set(
		error, 0, EFBIG,
		"it does not fit into two packages: with all that the first one takes, the second one has %llu "
		"bytes, %llu more than --max-package",
		(unsigned long long)*size, (unsigned long long)(*size - limit));
}

static void tell(const struct pair *pair, const uint64_t sizes[BOTH], const struct log *log)
{
	uint64_t stored = 0;
	size_t objects = 0;

	for (size_t i = 0; i < pair->plan->count; i++) {
		if (pair->plan->steps[i].stored) {
			stored += pair->plan->steps[i].data.size;
			objects++;
		}
	}
	log_printf(log,
	           "part 1: %s, %llu bytes: the data of %zu objects, which take %llu bytes of the root file system",
	           pair->names[FIRST], (unsigned long long)sizes[FIRST], objects, (unsigned long long)stored);
	log_printf(log, "part 2: %s, %llu bytes", pair->names[SECOND], (unsigned long long)sizes[SECOND]);
}

static int encrypt_both(const struct pair *pair, struct error *error)
{
	const struct recipients *recipients = pair->options->recipients;
	int err = 0;

	for (int i = 0; recipients && err == 0 && i < BOTH; i++)
		err = recipients_encrypt(recipients, pair->parts[i], pair->parts[i], error);
	return err;
}

int pair_make(struct plan *plan, const struct verify_inputs *trees, const struct gen_options *options,
              const struct signer *signer, const struct log *log, struct needs *needs, struct error *error)
{
	struct pair pair = {.plan = plan, .trees = trees, .options = options, .signer = signer};
	struct verify_inputs inputs = *trees;
	uint64_t sizes[BOTH] = {0};
	int err = name_pair(&pair, error);

	if (err == 0)
		err = write_first(&pair, &sizes[FIRST], error);
	if (err == 0)
		err = write_second(&pair, &sizes[SECOND], error);
	if (err == 0)
		tell(&pair, sizes, log);
	inputs.package = pair.parts[FIRST];
	inputs.next = pair.parts[SECOND];
	if (err == 0 && !options->no_verify)
		err = verify_package(&inputs, log, needs, error);
	if (err == 0)
		err = encrypt_both(&pair, error);
	/* The second one first: who sees the first one finds it. */
	for (int i = SECOND; i >= FIRST; i--)
		err = place_end(pair.parts[i], pair.names[i], err, error);
	free(pair.second);
	return err;
}
