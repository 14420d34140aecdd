/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_COMMANDS_H
#define FOTAD_COMMANDS_H

/*
 * What each AT command does beyond the line discipline (spec/requirements.md E and 3.2): the status in, information
 * text and a request to the keeper out.
 *
 *   I, +GMR, +CGMR, +QGMR   what the module runs
 *   +QFOTADL                start, or how things stand
 *   +QFOTASTOP              cancel a download or the checks
 *   +QFOTALOG               the last result: code, object and reason
 *   +CFUN                   1 is what the module always is; 1,1 reboots
 *
 * What hosts send by habit before all else is accepted where it asks for what is so anyway; all else is ERROR.
 */
#include "base/log.h"
#include "fotad/at.h"
#include "fotad/link.h"
#include <stdbool.h>

struct commands_request {
	bool wanted;
	enum link_kind kind;     /* LINK_START, LINK_CANCEL or LINK_REBOOT */
	struct link_start start; /* of LINK_START */
};

/* Returns false for ERROR, with no request. The log gets the reason when a source is refused. */
bool commands_run(const struct link_status *status, const struct at_command *command, struct at_reply *reply,
                  struct commands_request *request, const struct log *log);

#endif
