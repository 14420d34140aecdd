/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MAIN_PLAN_H
#define GENTOOLS_MAIN_PLAN_H

/* `update_gen plan ...`; argv[0] is "plan". Returns the exit status. */
int main_plan(int argc, char **argv);

#endif
