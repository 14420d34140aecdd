/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_OPENING_H
#define FOTAD_OPENING_H

/* Channels as the configuration names them, opened for the front; what that needs privileges for. */
#include "base/error.h"
#include "fotad/link.h"

/*
 * Open "/dev/smd7", "pty:LINK" or "unix:PATH": a descriptor, non-blocking and close-on-exec, and its type; or a
 * negative errno value. A tty is set to raw; a device that is none is used as it is. LINK becomes a symbolic link to
 * the pty's other end, PATH a socket for root; either replaces an older one, and nothing else.
 */
int opening_open(const char *channel, enum link_channel_type *type, struct error *error);

/* Remove LINK or PATH. */
void opening_remove(const char *channel);

#endif
