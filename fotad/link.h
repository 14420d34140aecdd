/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_LINK_H
#define FOTAD_LINK_H

/*
 * What the two processes of qfotad say to each other, over a SOCK_SEQPACKET pair. The front has given up its
 * privileges: it holds the channels and reads what strangers write there. The keeper holds the privileges and no
 * channel: it opens devices, fetches, checks, arms and reboots. Both run the same binary, so structs travel as they
 * are; the keeper takes every message of the front for hostile all the same.
 */
#include <stdbool.h>
#include <stdint.h>

#define LINK_SOURCE_MAX   255 /* bytes of a URL or path (spec/requirements.md 3.2) */
#define LINK_CHANNELS_MAX 8

enum link_kind {
	/* From the keeper. */
	LINK_STATUS,  /* how things stand now; sent whenever they change, and first of all */
	LINK_TELL,    /* a line for all channels: "+QIND: ..." */
	LINK_CHANNEL, /* a channel, newly opened: its descriptor comes with the message */
	/* From the front. */
	LINK_START,  /* AT+QFOTADL=... */
	LINK_CANCEL, /* AT+QFOTASTOP */
	LINK_REBOOT, /* AT+CFUN=1,1 */
	LINK_LOST,   /* a channel hung up or failed: open it again */
};

enum link_state {
	LINK_IDLE,
	LINK_DOWNLOADING, /* fetching, or waiting for the next try; can be cancelled */
	LINK_CHECKING,    /* can be cancelled */
	LINK_ARMING,
	LINK_REBOOTING,
};

/* The last thing that went wrong or well. */
struct link_result {
	int32_t code;     /* enum result_code, or an HTTP or FTP code; -1: nothing has happened yet */
	char object[256]; /* which file or partition, "" when it was none */
	char reason[384]; /* "" on success */
};

struct link_status {
	uint32_t state;   /* enum link_state */
	uint32_t percent; /* of the download or the checks */
	struct link_result last;
	char project[64];    /* Project Name, of /etc/quectel-project-version; "" when there is none */
	char revision[96];   /* Project Rev */
	uint32_t plain_text; /* 0 or 1: http and ftp are allowed, not only https and paths */
	uint32_t waits;      /* 0 or 1: an upgrade of two packages waits for its second one */
};

struct link_start {
	char source[LINK_SOURCE_MAX + 1];
	uint32_t mode;         /* 0 or 1 */
	uint32_t download_max; /* DOWNLOADING lines at most: 0, or 5 to 100 */
	uint32_t update_max;   /* UPDATING lines at most, likewise */
};

/* Which way bytes come and go on a channel. */
enum link_channel_type {
	LINK_DEVICE,   /* a character device or tty, opened for both ways */
	LINK_PTY,      /* the master of a pty, whose other end users open */
	LINK_LISTENER, /* a UNIX socket that listens: every connection is a channel of its own */
};

struct link_channel {
	uint32_t index; /* in the configuration's list */
	uint32_t type;  /* enum link_channel_type */
};

struct link_message {
	uint32_t kind; /* enum link_kind */
	union {
		struct link_status status;
		struct link_start start;
		struct link_channel channel; /* of LINK_LOST: only the index counts */
		char line[512];              /* of LINK_TELL, NUL-terminated */
	};
};

/*
 * Send a message, with a descriptor or -1; it stays the sender's. Never blocks: -EAGAIN when the other side does not
 * read. The message's texts are sent with their NULs.
 */
int link_send(int fd, const struct link_message *message, int descriptor);

/*
 * Receive one: 1, 0 at the end (the other side is gone), -EAGAIN when there is none, -EBADMSG for one of a wrong size
 * or kind, or with a descriptor where none belongs (only LINK_CHANNEL has one, and always). Texts are NUL-terminated,
 * whatever came; numbers are not looked at. *descriptor: -1, or one that is now the caller's, close-on-exec.
 */
int link_receive(int fd, struct link_message *message, int *descriptor);

#endif
