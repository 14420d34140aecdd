/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POWERCUT_NAMED_H
#define TESTS_POWERCUT_NAMED_H

/* Schedules that have a name of their own: the ways in which the lineage lost modules, and what a resumed run costs. */
#include "tests/powercut/engine.h"

/* NULL behind the last one. */
const char *named_name(unsigned index);

/* The engine's tally tells how many schedules that were. */
bool named_run(unsigned index, struct engine *engine);

#endif
