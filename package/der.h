/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_DER_H
#define PACKAGE_DER_H

/*
 * Reading DER (ITU-T X.690), as far as signatures and keys use it: one-byte tags, definite lengths up to 65,535 in
 * their only form. Private to package/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum der_tag {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_PRIMITIVE_0 = 0x80,   /* [0] IMPLICIT, of a primitive type */
	DER_CONSTRUCTED_0 = 0xa0, /* [0] EXPLICIT, or IMPLICIT of a constructed type */
	DER_CONSTRUCTED_1 = 0xa1,
};

/* A piece of somebody else's memory. Reading elements takes them off its front. */
struct der {
	const uint8_t *at;
	size_t left; /* bytes */
};

/*
 * Take the next element, which must have this tag. content: what is inside; whole: the element with tag and length;
 * each may be NULL. False, and nothing taken, when the next element is another one, or no sound one.
 */
bool der_take(struct der *in, enum der_tag tag, struct der *content, struct der *whole);

/* Step over the next element if it has this tag. False only when it has, and is not sound. */
bool der_skip(struct der *in, enum der_tag tag);

/* Take an INTEGER that is not negative, without the zero in front of a high bit. */
bool der_take_unsigned(struct der *in, struct der *digits);

bool der_equal(const struct der *der, const void *bytes, size_t size);

#endif
