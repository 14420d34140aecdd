/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/gentools.h"

#include "gentools/deltas.h"
#include "gentools/encrypt.h"
#include "gentools/full.h"
#include "gentools/hardlinks.h"
#include "gentools/lists.h"
#include "gentools/mix.h"
#include "gentools/moves.h"
#include "gentools/pack.h"
#include "gentools/packing.h"
#include "gentools/pair.h"
#include "gentools/place.h"
#include "gentools/plan.h"
#include "gentools/rollback.h"
#include "gentools/sign.h"
#include "gentools/summary.h"
#include "gentools/tree_xattr.h"
#include "gentools/units.h"
#include "gentools/verify.h"
#include "gentools/volumes.h"
#include "package/crypt.h"
#include "package/package.h"

#include <errno.h>
#include <string.h>

int gen_parse_parts(const char *letters, unsigned *parts)
{
	if (!*letters)
		return -EINVAL;
	for (const char *p = letters; *p; p++) {
		switch (*p) {
		case 'a':
			*parts |= GEN_ALL;
			break;
		case 'm':
			*parts |= GEN_MODEM;
			break;
		case 'l':
			*parts |= GEN_LINUX;
			break;
		case 'o':
			*parts |= GEN_KERNEL;
			break;
		default:
			return -EINVAL;
		}
	}
	return 0;
}

static int check_nodes(const struct tree *tree, const struct gen_options *options, struct error *error)
{
	for (size_t i = 0; !options->native && i < tree->count; i++)
		if (tree->objects[i].type == OBJECT_NODE)
			return error_set(error, RESULT_FORMAT, EINVAL,
			                 "%s: %s is a device node or FIFO, which needs --compat native", tree->name,
			                 tree->objects[i].path);
	return 0;
}

static int check_trees(const struct tree *source, const struct tree *target, const struct gen_options *options,
                       struct error *error)
{
	int err;

	if (!options->full && !pack_find_version(source))
		return error_set(error, RESULT_FORMAT, EINVAL, "%s: no file %s", source->name, PLAN_VERSION_FILE);
	if (!options->source)
		return packing_check(target, NULL, error);
	err = packing_check(source, target, error);
	return err < 0 ? err : packing_check(target, source, error);
}

/* What an upgrade brings although the inputs may not mean it. */
static void warn_of(const struct tree *tree, bool native, const struct log *log)
{
	int64_t owner = 0;
	size_t roots = 0;

	for (size_t i = 0; i < tree->count; i++) {
		if (tree->objects[i].implied || !path_in(tree->objects[i].path, "SYSTEM"))
			continue;
		owner = tree->objects[i].uid;
		roots += owner == 0;
	}
	for (const char *line = tree->notes; line && *line; line = strchr(line, '\n') + 1)
		log_printf(log, "%.*s", (int)strcspn(line, "\n"), line);
	if (tree->hard_links > 0)
		log_printf(log, "%s%s: %zu names of %zu files with hard links%s", native ? "" : "warning: ", tree->name,
		           tree->hard_links, tree->linked_files,
		           native ? "" : ": written anew they become files of their own, links need --compat native");
	if (roots == 0 && owner != 0)
		log_printf(log,
		           "warning: %s: nothing in it belongs to root: pack and unpack it as root, or with fakeroot",
		           tree->name);
}

/* Without what the package's updaters have no function for. */
static int read_tree(struct tree *tree, const char *path, const struct gen_options *options, const struct log *log,
                     struct error *error)
{
	size_t dropped;
	int err = tree_read(tree, path, options->native ? DIGEST_SHA256 : DIGEST_SHA1, error);

	if (err < 0 || options->native)
		return err < 0 ? err : tree_check_xattrs(tree, error);
	dropped = tree_drop_xattrs(tree);
	if (dropped > 0)
		log_printf(log, "%s: %zu extended attributes are left out: they need --compat native", tree->name,
		           dropped);
	return 0;
}

/* Without trying it out, the rest of what it needs is not known. */
static int check_size(const char *package, const struct gen_options *options, struct error *error)
{
	struct needs needs = {0};
	int err = pack_measure(package, options, &needs.package, error);

	if (err == 0)
		err = needs_check(&needs, &options->limits, error);
	if (err < 0)
		error_prefix(error, "%s", options->output);
	return err;
}

/* The package gets its name when it is whole, and known to be right. */
static int finish_package(struct plan *plan, const struct verify_inputs *trees, const struct gen_options *options,
                          const struct signer *signer, const struct log *log, struct needs *needs, struct error *error)
{
	struct verify_inputs inputs = *trees;
	char *part;
	int err = place_begin(options->output, &part, error);

	if (err == 0)
		err = pack_plan(plan, trees, options, part, error);
	inputs.package = part;
	if (err == 0 && signer)
		err = signer_sign(signer, part, part, error);
	if (err == 0)
		err = options->no_verify ? check_size(part, options, error)
		                         : verify_package(&inputs, log, needs, error);
	if (err == 0 && options->recipients)
		err = recipients_encrypt(options->recipients, part, part, error);
	return place_end(part, options->output, err, error);
}

static int make_plan(struct plan *plan, struct plan *trials, const struct verify_inputs *trees,
                     const struct gen_options *options, const struct log *log, struct error *error)
{
	int err = options->full ? full_plan(plan, trees->target, options->parts, options->native, log, error)
	                        : plan_make(plan, trees->source, trees->target, options->parts, log, error);

	if (err == 0 && plan->count == 0 && !options->allow_empty)
		err = error_set(error, 0, ENODATA, "nothing to do: %s and %s do not differ in these parts",
		                trees->source->name, trees->target->name);
	if (err == 0 && !options->full)
		err = moves_choose(plan, trials, trees->source, options, error);
	if (err == 0 && options->native)
		units_plan(plan);
	if (err == 0)
		err = plan_share_patches(plan, error);
	if (err == 0)
		err = deltas_make(plan, options, log, error);
	return err < 0 ? err : plan_name_patches(plan, error);
}

/* Both versions as they shall be on the modules, and the lists that had a say in that. */
struct inputs {
	struct tree source;
	struct tree target;
	struct lists lists;
};

static struct inputs no_inputs(void)
{
	return (struct inputs){.source.spool.fd = -1, .target.spool.fd = -1};
}

static void inputs_free(struct inputs *inputs)
{
	lists_free(&inputs->lists);
	tree_free(&inputs->target);
	tree_free(&inputs->source);
}

static int read_inputs(struct inputs *inputs, const struct gen_options *options, const struct log *log,
                       struct error *error)
{
	struct tree *source = &inputs->source;
	struct tree *target = &inputs->target;
	int err = lists_read(&inputs->lists, options->lists, options->lists_folder, log, error);

	if (err == 0)
		err = read_tree(target, options->target, options, log, error);
	if (err == 0)
		err = options->source ? read_tree(source, options->source, options, log, error)
		                      : full_make_module(source, target, error);
	if (err == 0)
		err = check_nodes(source, options, error);
	if (err == 0)
		err = check_nodes(target, options, error);
	if (err == 0)
		err = check_trees(source, target, options, error);
	if (err == 0)
		err = volumes_settle(source, target, options, &inputs->lists, log, error);
	if (err == 0 && options->full)
		err = full_check_lists(&inputs->lists, error);
	if (err == 0)
		err = lists_apply(&inputs->lists, source, target, options->parts, log, error);
	if (err == 0)
		err = units_settle(source, target, options, log, error);
	if (err == 0)
		err = hardlinks_settle(source, target, log, error);
	if (err == 0)
		err = rollback_compare(source, target, options, log, error);
	if (err < 0)
		return err;
	if (options->source)
		warn_of(source, options->native, log);
	warn_of(target, options->native, log);
	if (options->source)
		mix_warn(mix_left_out(source, target, options->parts), log);
	return 0;
}

int gen_make_package(const struct gen_options *options, const struct log *log, struct error *error)
{
	struct inputs inputs = no_inputs();
	struct plan plan = {.spool = {.fd = -1}};
	struct plan trials = {.spool = {.fd = -1}};
	struct verify_inputs trees = {.name = options->output,
	                              .source = &inputs.source,
	                              .target = &inputs.target,
	                              .parts = options->parts,
	                              .hard_links = options->native,
	                              .progress = &options->progress,
	                              .recipients = options->recipients,
	                              .limits = options->limits};
	struct needs needs = {0};
	struct signer *signer = NULL;
	int err = pack_check_output(options->output, options, error);

	if (err == 0 && options->sign)
		err = signer_open(options->sign, &signer, error);
	if (err == 0)
		err = read_inputs(&inputs, options, log, error);
	if (err == 0)
		err = hardlinks_plan(&inputs.source, &inputs.target,
		                     &(struct hardlinks_options){options->parts, options->native, options->full},
		                     error);
	if (err == 0)
		err = make_plan(&plan, &trials, &trees, options, log, error);
	if (err == 0)
		err = (options->minimal ? pair_make : finish_package)(&plan, &trees, options, signer, log, &needs,
		                                                      error);
	/* That nothing is left to do may be their doing. */
	if (err == 0 || err == -ENODATA)
		lists_report(&inputs.lists, log);
	if (err == 0 && options->summary)
		err = summary_write(&plan, &trees, options, options->no_verify ? NULL : &needs, error);
	signer_close(signer);
	plan_free(&plan);
	plan_free(&trials);
	inputs_free(&inputs);
	return err;
}

int gen_verify_package(const struct gen_options *options, const struct log *log, struct error *error)
{
	struct inputs inputs = no_inputs();
	struct verify_inputs trees = {.package = options->output,
	                              .name = options->output,
	                              .source = &inputs.source,
	                              .target = options->target ? &inputs.target : NULL,
	                              .parts = options->parts,
	                              .hard_links = options->native,
	                              .progress = &options->progress,
	                              .limits = options->limits};
	struct package_crypt_keys *keys = NULL;
	int err = options->key ? package_crypt_keys_read(options->key, &keys, error) : 0;

	trees.keys = keys;
	if (err == 0)
		err = read_tree(&inputs.source, options->source, options, log, error);
	if (err == 0 && options->target)
		err = read_tree(&inputs.target, options->target, options, log, error);
	if (err == 0 && options->target)
		err = lists_read(&inputs.lists, options->lists, options->lists_folder, log, error);
	if (err == 0)
		err = volumes_settle(&inputs.source, options->target ? &inputs.target : NULL, options, &inputs.lists,
		                     log, error);
	if (err == 0 && options->target)
		err = lists_apply(&inputs.lists, &inputs.source, &inputs.target, options->parts, log, error);
	if (err == 0 && options->target)
		err = hardlinks_settle(&inputs.source, &inputs.target, log, error);
	if (err == 0)
		err = units_settle(&inputs.source, options->target ? &inputs.target : NULL, options, log, error);
	if (err == 0)
		err = verify_package(&trees, log, NULL, error);
	package_crypt_keys_free(keys);
	inputs_free(&inputs);
	return err;
}
