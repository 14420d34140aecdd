/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POWERCUT_URC_H
#define TESTS_POWERCUT_URC_H

/*
 * What a host on the module's channel hears, over all boots of one upgrade. Legal is: in each boot of recovery START,
 * then UPDATING with a percentage that never falls, over all boots; then perhaps END. When power goes behind an END,
 * the next boots may say START and the same END again, but UPDATING no more.
 */
#include <stdbool.h>
#include <stddef.h>

struct urc {
	unsigned percent; /* the highest heard */
	bool heard;       /* any UPDATING */
	bool ended;       /* END was heard in any boot ... */
	bool was_ended;   /* ... or in one that nobody remembers ... */
	int code;         /* ... with this code */
	/* Of the last boot: */
	bool started;
	bool has_end;
};

/* One boot's text, cut off or not. Returns NULL, or what is wrong with it (static text). */
const char *urc_hear(struct urc *urc, const char *text, size_t length);

#endif
