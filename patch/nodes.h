/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_NODES_H
#define PATCH_NODES_H

/*
 * A LEB of UBIFS (struct ubifs_ch and others in Linux's fs/ubifs/ubifs-media.h) in an order, and with numbers, in which
 * two of them have more in common: patch/FORMAT.md, "Sorted LEBs".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Any bytes can be sorted. They come back if the checksums of all nodes are right. The buffers do not overlap. */
void nodes_sort(const uint8_t *leb, size_t size, uint8_t *sorted);
void nodes_restore(const uint8_t *sorted, size_t size, uint8_t *leb);

/* A data node of a sorted LEB. */
struct nodes_data {
	const uint8_t *head; /* NODES_DATA_HEAD bytes */
	size_t at;           /* of its data in the LEB */
	size_t size;         /* of its data */
};
#define NODES_DATA_HEAD 48

/* Walk them: a zeroed walk begins. False: there are no more. */
struct nodes_walk {
	size_t leb_at;
	size_t head_at;
	size_t data_at;
};
bool nodes_next(struct nodes_walk *walk, const uint8_t *sorted, size_t size, struct nodes_data *data);

#endif
