/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MAIN_SIGN_H
#define GENTOOLS_MAIN_SIGN_H

/* `update_gen sign ...`; argv[0] is "sign". Returns the exit status. */
int main_sign(int argc, char **argv);

#endif
