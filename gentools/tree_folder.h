/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_TREE_FOLDER_H
#define GENTOOLS_TREE_FOLDER_H

#include "gentools/tree.h"

/*
 * Fill the tree from the folder of its name, a targetfiles.zip that is unpacked. Modes and owners are those of the file
 * system, and so are capabilities; links are not followed, files of several names become files of their own. SYSTEM/dev
 * is left out; a device node, a socket or a FIFO elsewhere is -EINVAL.
 */
int tree_read_folder(struct tree *tree, struct error *error);

#endif
