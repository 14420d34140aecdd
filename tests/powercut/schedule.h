/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POWERCUT_SCHEDULE_H
#define TESTS_POWERCUT_SCHEDULE_H

/*
 * When power goes, and what it leaves: everything that makes one run of a module what it is. As text, on one line:
 *   PACKAGE/LOADER/none                          power is never cut
 *   PACKAGE/LOADER/CUT[,CUT]...                  CUT = OPERATION:VARIANT:SURVIVAL:SEED
 *   PACKAGE/LOADER/random:SEED                   cuts and worn blocks as a generator of random numbers has them
 * OPERATION counts all durable operations from the first boot on, from 1. VARIANT is before, after or tornN.
 */
#include "tests/powercut/module.h"

#define SCHEDULE_CUTS 32
#define KEY_SIZE      2048

struct cut {
	unsigned operation;
	unsigned variant; /* enum cut_decision, not CUT_NONE */
	enum survival survival;
	uint32_t seed;
};

struct schedule {
	const char *package;
	enum loader loader;
	bool random;
	uint64_t seed; /* of a random one */
	struct cut cuts[SCHEDULE_CUTS];
	unsigned count;
};

const char *schedule_format(const struct schedule *schedule, char key[KEY_SIZE]);

/* False when the text is no key. The package's name is not looked up; it lives in name. */
bool schedule_parse(const char *key, struct schedule *schedule, char name[64]);

/* A number that looks random, out of any number (splitmix64). */
uint64_t scatter(uint64_t number);

#endif
